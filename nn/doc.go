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
//
// Package nn/netfile keeps networks in files, with their architecture.
//
// # Layers of one's own
//
// A type with the four methods of [Layer] is a layer like those of this package. The
// example "Layer" is one, from the first line to a network that is trained, saved and
// loaded.
//
// Parameters: Build makes them with [NewParam], which optimizers change, and
// [NewBuffer], which they leave alone; [Initializer.New] draws kernels. Params returns
// them, in an order that does not change. Layers inside are built and run by their own
// methods, and their parameters returned with the others. Networks put names in front
// ("dense_1/kernel"), as often as they lie in one another.
//
// Forward makes its outputs with [Pass.New] and leaves its input as it is. It keeps
// nothing in the layer, since many goroutines may predict at once. What training needs
// on the way back stays in the function that it gives to [Pass.Record], which turns the
// gradient of the outputs into that of the inputs; where [Pass.WantsGrad] says that
// nobody needs that, nil will do. There it also adds to [Param.Gradient], which is nil
// for what is frozen. Only in training, which [Pass.Training] tells, may it change its
// buffers, unless they are frozen. [Activation.Apply] and [Activation.Gradient] run
// activations.
//
// Where the input goes several ways, [Pass.Fork] runs them, and brings the gradients
// together on the way back; no Record is needed then.
//
// [Differentiate] is there to test gradients. [Freeze] works on all layers. For files,
// the layer's options are its exported fields, layers inside are of type [Layers] or
// *[Sequential], and [Register] tells which type the class is; a [Planner] is safe from
// wrong numbers in them.
package nn
