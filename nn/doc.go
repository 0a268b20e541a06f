// Package nn builds and trains feed-forward networks of layers.
//
// Layers, their options and their defaults are Keras's; where an option is a
// size, the plain field (Kernel: 3) means a square and the array field
// (KernelSize: [2]int{3, 5}) rows and columns. Pictures are channels last,
// [batch, height, width, channels].
//
// Shapes are checked once, in Build, which returns errors. Afterwards a network
// holds nothing but its parameters: what a run needs lives in a Pass, so many
// goroutines may predict with one network at once. Training changes the
// parameters and must be alone.
//
// With one seed and one machine the same weights come out, to the bit,
// whatever GOMAXPROCS is.
package nn
