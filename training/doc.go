// Package training teaches networks on folders of pictures, and keeps them in files.
//
// [Autoencoder] trains an autoencoder, [Embedding] an embedding, whose classes are the
// folders that pictures lie in:
//
//	photos, err := album.Folder(os.DirFS("photos"), picture.Options{})
//	result, err := training.Autoencoder(ctx, photos, "model.safetensors", autoencoder.Config{Size: 224, Code: 32},
//		training.Epochs(50), training.Validation(0.1), training.Patience(5), training.Resume())
//
// The set is of pictures of any size: the network sees them as squares, and what cannot be
// read as a picture is left out and returned. The file is written after every epoch, whole
// or not at all. It is the model, for [autoencoder.Load],
// [embedding.Load] and lookalike.Trained, and has what training needs to go on.
// With [Patience] it is the model of the best epoch so far, and beside it lie the
// parameters of the last.
//
// ctx ends a training between two batches; the epochs that have been done are in the file.
// With [Resume] the same call goes on after the last of them, and the file is in the end
// the one of an unbroken run, to the bit, whatever the number of processors. A result tells
// how many epochs there are, how good the best one is, and why training has ended; if
// there is an error too, it is of the epochs that the file holds.
//
// A program that wants to do something between the steps, such as to show the pictures that
// were left out or to write the table of the division, opens a [Course] by
// [OpenAutoencoder] or [OpenEmbedding] and takes the steps itself.
//
// # Errors
//
//   - A second training of one file, or with the same log, is [ErrBusy] as long as the
//     first lasts, whichever program it is of.
//   - A file that exists is [io/fs.ErrExist], unless [Resume] or [Anew] is given.
//   - An option that cannot be is an [*OptionError], before anything else.
//   - Training that shall go on in another way is a [*ResumeError], on other pictures
//     [ErrOtherPictures].
//   - What takes more memory than there may be is a [*MemoryError], which says what would
//     fit.
//   - A loss that is infinite, or has risen out of all proportion, is [nn.ErrDiverged]. The
//     file keeps the epochs before.
//   - Weights of VGG that have not been downloaded are a [*describe.WeightsError].
//
// # Divisions
//
// [Divide] and [DivideClasses] say which pictures are learned from and which are kept out;
// [Split.Write] and [ReadSplit] keep that as a table.
package training
