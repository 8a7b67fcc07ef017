package strictyaml_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/strictyaml"
)

type sample struct {
	Name   string            `json:"name"`
	Count  int               `json:"count" hint:"counts are small"`
	On     bool              `json:"on"`
	Labels map[string]string `json:"labels"`
	List   []item            `json:"list"`
	inlined
}

type inlined struct {
	Extra string `json:"extra"`
}

type item struct {
	Path string `json:"path"`
}

func TestDecodeFindsEveryProblem(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in   string
		want []string
	}{
		"unknown keys at all depths": {
			in: "nmae: x\nlist:\n- path: /a\n- pth: /b\nlabels: {a: [1]}\n",
			want: []string{
				`f.yaml:1:1: unknown key "nmae" (did you mean "name"?)`,
				`f.yaml:4:3: unknown key "pth" (did you mean "path"?)`,
				`f.yaml:5:13: labels.a must be a text`,
			},
		},
		"types": {
			in: "count: two\non: 1\nlist: {}\nname: [a]\n",
			want: []string{
				`f.yaml:1:8: count must be a whole number`,
				`f.yaml:2:5: on must be true or false`,
				`f.yaml:3:7: list must be a list`,
				`f.yaml:4:7: name must be a text`,
			},
		},
		"duplicate":        {in: "name: a\ncount: 1\nname: b\n", want: []string{`f.yaml:3:1: key "name" stands twice`}},
		"not a mapping":    {in: "- a\n", want: []string{`f.yaml:1:1: the file must be a mapping`}},
		"block scalar":     {in: "list: |\n  x\n", want: []string{`f.yaml:1:7: list must be a list`}},
		"number too large": {in: "count: 99999999999\n", want: []string{`f.yaml:1:8: count must be a whole number`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, problems := strictyaml.Parse("f.yaml", []byte(tt.in))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var got []string
			for _, p := range doc.Decode(&sample{}) {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProblemsCarryWhatACaretNeeds(t *testing.T) {
	t.Parallel()
	doc, _ := strictyaml.Parse("f.yaml", []byte("labels:\n  a: b\ncuont: 1\ncount: many\n"))
	problems := doc.Decode(&sample{})
	if len(problems) != 2 {
		t.Fatal(problems)
	}
	if p := problems[0]; p.Length != len("cuont") || p.Label != "not a key of the file" || p.Suggestion != "count" {
		t.Errorf("unknown key: %+v", p)
	}
	if p := problems[1]; p.Length != len("many") || p.Label != "this is a text" || p.Hint != "counts are small" {
		t.Errorf("wrong type: %+v", p)
	}
}

func TestDecodeOverrides(t *testing.T) {
	t.Parallel()
	base := "name: a\ncount: 1\nlabels: {a: '1', b: '2'}\nlist: [{path: /a}, {path: /b}]\nextra: e\n"
	over := "count: ~\nlabels: {b: ~, c: 3}\nlist: [{path: /c}]\n"
	var got sample
	for _, text := range []string{base, over} {
		doc, problems := strictyaml.Parse("f.yaml", []byte(text))
		if problems = append(problems, doc.Decode(&got)...); len(problems) > 0 {
			t.Fatal(problems)
		}
	}
	want := sample{
		Name: "a", Labels: map[string]string{"a": "1", "c": "3"}, List: []item{{Path: "/c"}}, inlined: inlined{Extra: "e"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sample{})); diff != "" {
		t.Error(diff)
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	t.Parallel()
	doc, problems := strictyaml.Parse("f.yaml", []byte("labels: &l {a: '1', b: '2'}\nlist: [&i {path: /a}, *i]\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got sample
	if problems := doc.Decode(&got); len(problems) > 0 {
		t.Fatal(problems)
	}
	if got.List[1].Path != "/a" {
		t.Errorf("alias not followed: %+v", got)
	}
	doc, _ = strictyaml.Parse("f.yaml", []byte("base: &b {x: '1', y: '2'}\nlabels:\n  <<: *b\n  y: '3'\n"))
	if problems := doc.Decode(&got.Labels, "labels"); len(problems) > 0 || got.Labels["x"] != "1" || got.Labels["y"] != "3" {
		t.Errorf("merge key: %v %v", got.Labels, problems)
	}
}

func TestSyntax(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"a:\n\t- b\n":       `f.yaml:2:1: not valid YAML: a tab cannot indent`,
		"a: [1,2\n":         `f.yaml:1:4: not valid YAML: sequence end token ']' not found`,
		"a: 1\n---\nb: 2\n": `f.yaml:3:1: more than one document in the file`,
	}
	for in, want := range tests {
		_, problems := strictyaml.Parse("f.yaml", []byte(in))
		if len(problems) != 1 || problems[0].String() != want {
			t.Errorf("%q: %v, want %s", in, problems, want)
		}
	}
	if doc, problems := strictyaml.Parse("f.yaml", nil); len(problems) > 0 || doc.Has("a") || doc.Position("a").Line != 0 {
		t.Errorf("empty file: %v", problems)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: a\nlist: [{path: /a}]\nlabels: {a: b}\n"))
	f.Add([]byte("labels: &a\n  <<: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, problems := strictyaml.Parse("f.yaml", data)
		if len(problems) > 0 {
			return
		}
		doc.Decode(&sample{})
	})
}
