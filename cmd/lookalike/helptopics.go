package main

import "github.com/spf13/cobra"

// topics are pages of help that belong to no command: 'lookalike help NAME'. Each
// is a page of the manual, too.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{
			Use:   "configuration",
			Short: "Settings: command line, environment, file",
			Long: `Every flag that says how something is done, and not what this one run writes, can
also be set in the environment or in a file. What is given on the command line
counts first, then the environment, then the file, then the program's default.

The file is in TOML: a flag's name without its dashes, for all commands at the
top, for one command in a table of its name:

  threads = 2
  memory-limit = "800MB"

  [search]
  neighbors = 10
  metric = "cosine"

  [index]
  model = "vgg16"

It is looked for where --config says, then where the variable LOOKALIKE_CONFIG
says, then as lookalike/config.toml in the user's folder for settings (on Linux
$XDG_CONFIG_HOME or ~/.config, on macOS ~/Library/Application Support, on Windows
%AppData%). --config /dev/null reads none. An unknown key is an error.

memory-limit, or --memory-limit, makes the program keep less for speed alone, such
as decoded pictures between epochs, take fewer pictures at a time through VGG, and
collect garbage sooner. Pictures that take more than half of it to decode, 4 to 12
bytes a pixel for most, and files of more than an eighth of it are named and left
out. The limit is of the whole process, as the system shows it (RSS), within 5%:
weights that are mapped from a file and have been read count, too; what the system
itself keeps of files does not. What must be in memory at once and does not fit,
such as the vectors of an index, VGG's weights with what one picture takes on its
way, or what training takes, is refused with the figures; train says which --batch
would fit, and decodes and keeps pictures in what training leaves. VGG16 needs about
190 MB without its dense layers and 685 MB with them. There is no limit by default.
Results stay the same, but for principal components of collections whose vectors do
not fit in a quarter of the limit: these are then fitted to a sample.

In the environment the same settings are LOOKALIKE_ and the name in capitals, with
_ for each dash and point: LOOKALIKE_THREADS, LOOKALIKE_SEARCH_NEIGHBORS. An empty
variable counts as none. LOOKALIKE_CPU chooses the kernels (amx, avx512, avx2, neon or
generic); as they are chosen before anything is read, only the environment can.

'lookalike config' prints all settings, what is in force and where it comes from.
No setting is a secret: passwords have no place in the file.`,
		},
		{
			Use:   "progress",
			Short: "Progress and messages, for people and programs",
			Long: `Results go to standard output, all else to standard error. How far a long job is
shows as a bar with rate and time left if standard error is a terminal, where train
and index then name a command that can follow, otherwise as a line every five
seconds. --progress lines writes the lines in a terminal too,
--progress none nothing. With --quiet only errors are written, no warnings.

Of files that are left out because they are not pictures, one line tells how many
there are of each kind, and names those that are damaged. --verbose names all, and
--skipped FILE writes all to a file: path, tabulator, reason.

With --progress json standard error is for programs: one JSON object a line, each
an event. Fields may be added in later versions, but none is taken out or changes
its meaning.

  {"event":"progress","job":"Indexing","unit":"images","done":120,"total":3068,
   "per_second":31.2,"seconds":3.84,"seconds_left":94.5}

comes when a job begins, up to five times a second while it lasts, and as
"event":"end" when it is over, which is before done reaches total if it failed or
was stopped. total is 0 if it is not known; per_second and seconds_left are null
until they are; "details", if there, says what is being done just now. A command
can have several jobs, one after the other.

  {"event":"epoch","epoch":1,"epochs":10,"loss":0.0942,"val_loss":0.0951,
   "samples":200,"per_second":64.1,"seconds":3.12}
  {"event":"skipped","path":"notes.txt","reason":"not a picture"}
  {"event":"warning","text":"…"}
  {"event":"note","text":"…"}

and as the last one, unless all went well:

  {"event":"error","text":"…","status":1}
  {"event":"stopped","text":"…","status":130}

status is the one that the program exits with. A mistake in the command line that
is found before --progress has been read is written as plain text.

Ctrl-C, or SIGTERM, asks a job to stop; what was done is kept where that makes
sense, and the last message says how to go on. A second one ends the program at
once.`,
		},
	}
}

// neededFlags are the flags that -h shows of a command, if not the first.
var neededFlags = map[string][]string{
	"lookalike train":   {"output", "epochs", "resume", "embedding", "limit", "size", "code", "validation", "log"},
	"lookalike search":  {"neighbors", "sheet", "html", "show", "model", "within", "filter", "include-self", "json"},
	"lookalike compare": {"model", "within", "why", "index", "json"},
	"lookalike dups":    {"html", "sheet", "move-to", "hardlink", "apply", "undo", "exact", "within", "json"},
	"lookalike map":     {"filter", "photos", "metric", "seed"},
}
