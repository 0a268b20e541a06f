package atlas

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"lookalike/cmd/lookalike/internal/webpage"
)

// browse opens a page in a browser without a window, lets a script act on it, and
// returns what the script calls report with.
func browse(t *testing.T, page, script string, result any) {
	t.Helper()
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("needs Chromium")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "page.html")
	act := fmt.Sprintf(`<script>
const report = r => document.body.dataset.report = JSON.stringify(r);
addEventListener("error", e => report({error: e.message}));
addEventListener("load", async () => { if (typeof ready !== "undefined") await ready; try { %s } catch (e) { report({error: String(e)}); } });
</script></body>`, script)
	if err := os.WriteFile(file, []byte(strings.Replace(page, "</body>", act, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1200,900",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--virtual-time-budget=10000", "--dump-dom", "file://"+file)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := regexp.MustCompile(`data-report="([^"]*)"`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("the page reports nothing:\n%.2000s", out)
	}
	text := html.UnescapeString(string(found[1]))
	var failed struct{ Error string }
	if err := json.Unmarshal([]byte(text), &failed); err != nil || failed.Error != "" {
		t.Fatalf("on the page: %s", text)
	}
	if err := json.Unmarshal([]byte(text), result); err != nil {
		t.Fatal(err)
	}
}

// In a browser: all pictures are in sight, each is found under the pointer, a click
// tells of it, a search shows those that have the word and flies there, and a class
// can be chosen.
func TestBrowser(t *testing.T) {
	m := few(120, func(i int) string { return []string{"cats", "dogs", "birds"}[i%3] })
	var got struct {
		Ready, Count, Tip, Card, Open, Only, Found, FoundShown, Class, ClassName, Cleared string
		InSight, UnderPointer, Options, Names, Covering                                   int
		CardHidden, TipHidden, Zoomed, Panned                                             bool
	}
	browse(t, written(t, m, Page{Title: "title", Folder: "/photos"}), `
		const r = {count: document.getElementById("count").textContent, options: choice.options.length};
		const event = (type, x, y, more) => map.dispatchEvent(new PointerEvent(type, {bubbles: true, clientX: x, clientY: y + map.getBoundingClientRect().top, pointerId: 1, pointerType: "mouse", ...more}));
		map.setPointerCapture = () => {};
		const middle = i => [left(i) + boxes[4 * i + 2] * view.zoom / 2, above(i) + boxes[4 * i + 3] * view.zoom / 2];
		r.inSight = r.underPointer = 0;
		for (let i = 0; i < n; i++) {
			const [x, y] = middle(i);
			if (x > 0 && y > 0 && x < wide && y < high) r.inSight++;
			if (under(x, y) === i) r.underPointer++;
		}
		r.names = r.covering = 0;
		for (const zoom of [view.zoom, 20, 60]) {
			view.zoom = zoom;
			for (const t of placeNames()) {
				r.names++;
				if (covers(...t.box)) r.covering++;
			}
		}
		fit(true);
		draw();
		event("pointermove", ...middle(7));
		r.tip = tip.querySelector(".name").textContent;
		event("pointerdown", ...middle(7));
		event("pointerup", ...middle(7));
		r.tipHidden = tip.hidden;
		r.card = card.querySelector(".name").textContent + ", " + card.querySelector(".note").textContent;
		r.open = document.getElementById("open").href;
		r.only = document.getElementById("only").textContent;
		find.value = "DIR/11";
		find.dispatchEvent(new Event("input"));
		r.found = document.getElementById("count").textContent;
		r.foundShown = data.names.filter((_, i) => shown(i)).join(" ");
		r.cardHidden = card.hidden;
		find.value = "";
		choice.value = [...choice.options].find(o => o.text.startsWith("dogs")).value;
		choice.dispatchEvent(new Event("change"));
		r.class = document.getElementById("count").textContent;
		r.className = choice.selectedOptions[0].text;
		choice.value = "";
		choice.dispatchEvent(new Event("change"));
		r.cleared = document.getElementById("count").textContent;
		fit(true);
		let was = {...view};
		map.dispatchEvent(new WheelEvent("wheel", {deltaY: -200, clientX: 300, clientY: 400, cancelable: true}));
		r.zoomed = view.zoom > was.zoom;
		was = {...view};
		event("pointerdown", 500, 300);
		event("pointermove", 400, 350);
		event("pointerup", 400, 350);
		r.panned = Math.abs((view.x - was.x) * view.zoom - 100) < 1 && Math.abs((view.y - was.y) * view.zoom + 50) < 1;
		draw();
		r.ready = document.documentElement.dataset.ready;
		report(r);`, &got)
	if got.Ready != "1" || got.Count != "120 pictures" || got.Options != 4 {
		t.Errorf("ready %q, %q, %d classes to choose from", got.Ready, got.Count, got.Options)
	}
	if got.InSight != 120 || got.UnderPointer != 120 {
		t.Errorf("%d of 120 pictures are in sight, %d under the pointer", got.InSight, got.UnderPointer)
	}
	if got.Names < 5 || got.Covering > 0 {
		t.Errorf("%d names of classes at three sizes, %d of them over pictures", got.Names, got.Covering)
	}
	if got.Tip != "dir/7.jpg" || !got.TipHidden || got.Card != "dir/7.jpg, dogs · note" || got.Open != "file:///photos/dir/7.jpg" || got.Only != "Show only dogs" {
		t.Errorf("tip %q, hidden %v; card %q, link %q, %q", got.Tip, got.TipHidden, got.Card, got.Open, got.Only)
	}
	if got.Found != "11 of 120" || !strings.HasPrefix(got.FoundShown, "dir/11.jpg dir/110.jpg dir/111.jpg") || !got.CardHidden {
		t.Errorf("search: %q, %q, card hidden %v", got.Found, got.FoundShown, got.CardHidden)
	}
	if got.Class != "40 of 120" || got.ClassName != "dogs (40)" || got.Cleared != "120 pictures" {
		t.Errorf("class: %q, %q, then %q", got.Class, got.ClassName, got.Cleared)
	}
	if !got.Zoomed || !got.Panned {
		t.Errorf("zoomed %v, moved %v", got.Zoomed, got.Panned)
	}
}

// On a page of groups no card is alone in a row, none sticks out, and no text lies on a
// picture, however wide the window is.
func TestGroupsInBrowser(t *testing.T) {
	var page strings.Builder
	m := few(1, func(int) string { return "" }).places[0].Picture
	for _, sizes := range [][]int{{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 21}, {2, 2, 2, 3, 2}, {6}, {1, 1}} {
		page.Reset()
		p := webpage.Page{Title: "title", Groups: func(yield func(webpage.Group, error) bool) {
			for _, n := range sizes {
				g := webpage.Group{Title: "group"}
				for i := range n {
					g.Cards = append(g.Cards, webpage.Card{Picture: m, Name: "a/b.jpg", Badge: "0.123, less alike", Lead: i == 0})
				}
				yield(g, nil)
			}
		}}
		if err := webpage.Write(&page, p); err != nil {
			t.Fatal(err)
		}
		var got struct{ Wrong []string }
		browse(t, page.String(), `
		const wrong = [];
		for (const wide of [360, 390, 600, 768, 1024, 1280, 1440, 1920]) {
			document.body.style.width = wide + "px";
			lay();
			for (const [k, list] of [...document.querySelectorAll(".cards")].entries()) {
				const rows = new Map();
				for (const li of list.children) {
					const box = li.getBoundingClientRect(), frame = li.querySelector(".frame").getBoundingClientRect(), text = li.querySelector(".text").getBoundingClientRect();
					if (box.right > wide) wrong.push(wide + ": group " + k + " sticks out by " + (box.right - wide));
					if (text.top < frame.bottom - 1) wrong.push(wide + ": text of group " + k + " on a picture");
					if (!li.classList.contains("whole")) rows.set(box.top, 1 + (rows.get(box.top) || 0));
				}
				if (list.children.length > 1 && [...rows.values()].includes(1)) wrong.push(wide + ": of " + list.children.length + " cards one is alone");
			}
		}
		report({wrong});`, &got)
		for _, wrong := range got.Wrong {
			t.Errorf("groups of %v, window of %s", sizes, wrong)
		}
	}
}
