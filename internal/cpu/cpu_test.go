package cpu

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/cpuid/v2"
)

func tiersTested() string { return "tiers tested: " + strings.Join(Tiers(), ", ") }

// TestTiers says which tiers these tests ran.
func TestTiers(t *testing.T) {
	t.Logf("%s: %s; in use: %s", cpuid.CPU.BrandName, tiersTested(), Tier())
	if len(available) == 0 || available[len(available)-1] != "generic" {
		t.Error("the portable tier is not among them")
	}
}

// choices are values of LOOKALIKE_CPU and the tiers that they stand for.
func choices() map[string]string {
	middle := Tiers()[len(Tiers())/2]
	return map[string]string{"": Tiers()[0], "generic": "generic", middle: middle, "sse9": Tiers()[0]}
}

func TestChoice(t *testing.T) {
	for value, want := range choices() {
		var said strings.Builder
		if got := choose(available, value, &said); got != want {
			t.Errorf("%q chooses tier %s, want %s", value, got, want)
		}
		if complains := strings.Contains(said.String(), `LOOKALIKE_CPU="sse9"`); complains != (value == "sse9") {
			t.Errorf("%q: says %q", value, said.String())
		}
	}
}

// TestEnvironment starts this test program anew for each choice.
func TestEnvironment(t *testing.T) {
	child := func(value string) (out, complaints string, err error) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTiers$", "-test.v")
		cmd.Env = append(os.Environ(), "LOOKALIKE_CPU="+value)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		stdout, err := cmd.Output()
		return string(stdout), stderr.String(), err
	}
	out, _, err := child("")
	if errors.Is(err, syscall.ENOEXEC) || err == nil && !strings.Contains(out, tiersTested()) {
		t.Skip("a child process does not run on the processor that this one sees: it is emulated")
	}
	for value, want := range choices() {
		out, complaints, err := child(value)
		if err != nil || !strings.Contains(out, "in use: "+want+"\n") {
			t.Errorf("LOOKALIKE_CPU=%q: want tier %s, got %v\n%s", value, want, err, out)
		}
		if said := strings.Contains(complaints, `LOOKALIKE_CPU="sse9"`); said != (value == "sse9") {
			t.Errorf("LOOKALIKE_CPU=%q: standard error says %q", value, complaints)
		}
	}
}
