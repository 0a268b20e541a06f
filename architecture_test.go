package lookalike_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// list runs go list with a format and returns the lines that it prints.
func list(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// modulePath returns this module's path, which internal/rename changes.
func modulePath(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	return modfile.ModulePath(text)
}

// TestImportTable holds ARCHITECTURE.md's table of packages against the code:
// every package is in it, with its nearest imports, all from further up: those that
// no other of its imports leads to. Among imports what leads to "internal/" is left out.
func TestImportTable(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .* \\| (.*)\\|$")
	short := func(pkg string) string {
		if _, inner, ok := strings.Cut("/"+pkg, "/internal/"); ok {
			return inner
		}
		return pkg
	}
	table, order, any := map[string][]string{}, []string{}, map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		imports := []string{}
		for _, i := range strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' }) {
			imports = append(imports, i)
			if !slices.Contains(order, i) && i != "any" {
				t.Errorf("%s imports %s, which stands further down in the table", m[1], i)
			}
		}
		if slices.Contains(order, short(m[1])) {
			t.Errorf("two packages are named %s, apart from what leads to internal/", short(m[1]))
		}
		table[m[1]] = imports
		any[m[1]] = strings.TrimSpace(m[2]) == "any"
		order = append(order, short(m[1]))
	}
	module := modulePath(t)
	const root = "lookalike" // what the table calls the package at the module's root
	named := func(pkg string) (string, bool) {
		if pkg == module {
			return root, true
		}
		return strings.CutPrefix(pkg, module+"/")
	}
	imports, reached := map[string][]string{}, map[string][]string{} // ours; reached by others' too
	for _, line := range list(t, "-f", `{{.ImportPath}} {{join .Imports " "}},{{join .Deps " "}}`, "./...") {
		line, deps, _ := strings.Cut(line, ",")
		pkg, direct, _ := strings.Cut(line, " ")
		pkg, _ = named(pkg)
		for to, from := range map[*map[string][]string]string{&imports: direct, &reached: deps} {
			(*to)[pkg] = []string{}
			for _, i := range strings.Fields(from) {
				if i, ours := named(i); ours {
					(*to)[pkg] = append((*to)[pkg], i)
				}
			}
		}
	}
	for pkg, direct := range imports {
		got := []string{}
		for _, i := range direct {
			if !slices.ContainsFunc(direct, func(j string) bool { return slices.Contains(reached[j], i) }) {
				got = append(got, short(i))
			}
		}
		want, ok := table[pkg]
		delete(table, pkg)
		slices.Sort(got)
		slices.Sort(want)
		if !ok {
			t.Errorf("package %s is not in the table", pkg)
		} else if any[pkg] {
			continue // nothing imports it, and it stands last
		} else if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("package %s imports %v, the table says %v", pkg, got, want)
		}
	}
	for pkg := range table {
		t.Errorf("the table has a package %s that does not exist", pkg)
	}
}

// TestNetworksStayLight: who imports nn, optim or tensor gets the standard library, cpuid with
// what it needs, and ourselves.
func TestNetworksStayLight(t *testing.T) {
	allowed := regexp.MustCompile(`^(` + regexp.QuoteMeta(modulePath(t)) + `/.*|github.com/klauspost/cpuid/v2.*|golang.org/x/sys/.*)$`)
	for _, pkg := range list(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./nn", "./optim", "./tensor") {
		if pkg != "" && !allowed.MatchString(pkg) {
			t.Errorf("nn, optim or tensor depends on %s", pkg)
		}
	}
}
