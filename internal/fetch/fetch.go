// Package fetch downloads the published weights of networks into the user's
// cache folder and finds them there. What a server sends is kept as NAME.part
// until it is whole and has the published checksum, so a file under its own
// name is a right one, and a download that was interrupted goes on where it
// stopped.
package fetch
