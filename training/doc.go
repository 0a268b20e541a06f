// Package training teaches networks on folders of pictures, and keeps them in files.
package training
