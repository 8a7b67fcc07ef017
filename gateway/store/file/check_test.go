package file_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/file"
)

const (
	al  = "users: [{username: al, firstname: A, lastname: L}]\n"
	sum = "5b11618c2e44027877d0cd0921ed166b9f176f50587fc91e7534dd2946db77d6"
)

func TestCheckSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		want []string // position, message, suggestion
	}{
		"nothing":             {text: ""},
		"only a comment":      {text: "# nobody yet\n"},
		"null sections":       {text: "users:\napplications:\ncredentials:\nscopes:\n"},
		"no map":              {"- a\n", []string{"c.yml:1:1: consumers.yml must be a map, this is a list"}},
		"unknown section":     {"user: []\n", []string{`c.yml:1:1: "user" is not a section of consumers.yml (did you mean "users"?)`}},
		"a section no list":   {"users: {}\n", []string{"c.yml:1:8: a section must be a list, this is a map"}},
		"an entry no map":     {"users: [alice]\n", []string{"c.yml:1:9: an entry must be a map, this is a single value"}},
		"no username":         {"users: [{firstname: A, lastname: L}]\n", []string{"c.yml:1:9: a user needs username"}},
		"model":               {"users: [{username: al}]\n", []string{"c.yml:1:9: data should have required property 'firstname', data should have required property 'lastname'"}},
		"unknown user field":  {"users: [{username: al, firstname: A, lastnam: B, lastname: L}]\n", []string{`c.yml:1:38: "lastnam" is not a field of users (did you mean "lastname"?)`}},
		"duplicate user":      {"users:\n- {username: al, firstname: A, lastname: L}\n- {username: al, firstname: A, lastname: L}\n", []string{`c.yml:3:3: the user "al" exists already`}},
		"duplicate id":        {"users:\n- {username: a, firstname: A, lastname: L, id: x}\n- {username: b, firstname: A, lastname: L, id: x}\n", []string{`c.yml:3:3: the id "x" exists already`}},
		"duplicate key":       {"users: []\nusers: []\n", []string{`c.yml:2:1: this key stands twice in the same map`}},
		"unknown owner":       {al + "applications: [{name: s, user: all}]\n", []string{`c.yml:2:32: there is no user "all" (did you mean "al"?)`}},
		"application no user": {al + "applications: [{name: s}]\n", []string{"c.yml:2:16: an application needs user"}},
		"duplicate app":       {al + "applications: [{name: s, user: al}, {name: s, user: al}]\n", []string{`c.yml:2:37: the application "al/s" exists already`}},
		"credential no type":  {al + "credentials: [{consumer: al}]\n", []string{"c.yml:2:15: a credential needs type"}},
		"unknown type":        {al + "credentials: [{type: keyauth, consumer: al}]\n", []string{`c.yml:2:22: "keyauth" is not a credential type (did you mean "key-auth"?)`}},
		"unknown consumer":    {al + "credentials: [{type: jwt, keyId: k, consumer: bob}]\n", []string{`c.yml:2:47: there is no user or application "bob"`}},
		"ambiguous consumer": {
			al + "applications: [{name: al, user: al}]\ncredentials: [{type: jwt, keyId: k, consumer: al}]\n",
			[]string{`c.yml:3:47: 2 consumers are called "al"`},
		},
		"no key id":         {al + "credentials: [{type: jwt, consumer: al}]\n", []string{"c.yml:2:15: a jwt credential needs keyId"}},
		"no hash":           {al + "credentials: [{type: key-auth, consumer: al, keyId: k}]\n", []string{"c.yml:2:15: a key-auth credential needs keySecretSHA256"}},
		"short hash":        {al + "credentials: [{type: key-auth, consumer: al, keyId: k, keySecretSHA256: abcd}]\n", []string{"c.yml:2:73: keySecretSHA256 must be 64 hexadecimal digits"}},
		"no bcrypt":         {al + "credentials: [{type: basic-auth, consumer: al, passwordBcrypt: abc}]\n", []string{"c.yml:2:64: passwordBcrypt is not a bcrypt hash"}},
		"hash of a jwt key": {al + "credentials: [{type: jwt, consumer: al, keyId: k, keySecretSHA256: abc}]\n", []string{`c.yml:2:51: "keySecretSHA256" is not a field of jwt credentials`}},
		"plain key secret": {
			al + "credentials: [{type: key-auth, consumer: al, keyId: k, keySecretSHA256: " + sum + ", keySecret: s}]\n",
			[]string{"c.yml:2:150: keySecret stands here in clear text"},
		},
		"plain password":      {al + "credentials:\n- type: basic-auth\n  consumer: al\n  password: s\n", []string{"c.yml:3:3: a basic-auth credential needs passwordBcrypt", "c.yml:5:13: password stands here in clear text"}},
		"plain user password": {"users: [{username: al, firstname: A, lastname: L, password: x}]\n", []string{"c.yml:1:61: password stands here in clear text"}},
		"duplicate credential": {
			al + "credentials: [{type: jwt, consumer: al, keyId: k}, {type: jwt, consumer: al, keyId: k}]\n",
			[]string{`c.yml:2:52: the jwt credential "k" exists already`},
		},
		"unknown scope":   {al + "credentials: [{type: jwt, consumer: al, keyId: k, scopes: [raed]}]\nscopes: [read]\n", []string{`c.yml:2:60: there is no scope "raed" (did you mean "read"?)`}},
		"scopes no list":  {"scopes: read\n", []string{"c.yml:1:9: scopes must be a list, this is a single value"}},
		"duplicate scope": {"scopes: [read, read]\n", []string{`c.yml:1:16: the scope "read" exists already`}},
		"active":          {"users: [{username: al, firstname: A, lastname: L, isActive: maybe}]\n", []string{"c.yml:1:61: isActive must be true or false"}},
		"alias":           {"x: &a [1]\nscopes: *a\n", []string{`c.yml:1:1: "x" is not a section of consumers.yml`}},
		"characters":      {"scopes: [ä, ä]\n", []string{`c.yml:1:13: the scope "ä" exists already`}},
		"two documents":   {"users: []\n---\nusers: []\n", []string{"c.yml:2:1: a second document begins here; the file must hold one"}},
		"all at once":     {"user: []\nscopes: 7\ncredentials: [x]\n", []string{`c.yml:1:1: "user" is not a section of consumers.yml (did you mean "users"?)`, "c.yml:2:9: scopes must be a list, this is a single value", "c.yml:3:15: an entry must be a map, this is a single value"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := file.Check("c.yml", []byte(tt.text), nil)
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", tt.text, diff)
			}
		})
	}
}

func TestCheckReportsBrokenYAMLWithItsPlace(t *testing.T) {
	t.Parallel()
	_, problems := file.Check("c.yml", []byte("users:\n- {username: al\nscopes: []\n"), nil)
	if len(problems) != 1 || problems[0].Code != "yaml-syntax" || problems[0].Line == 0 {
		t.Errorf("problems %+v", problems)
	}
}

func TestAPlainSecretIsNeverRepeated(t *testing.T) {
	t.Parallel()
	_, problems := file.Check("c.yml", []byte(al+"credentials: [{type: key-auth, consumer: al, keyId: k, keySecret: hunter2}]\n"), nil)
	if len(problems) == 0 {
		t.Fatal("a plain secret was accepted")
	}
	for _, p := range problems {
		if strings.Contains(p.String()+p.Hint+p.Label, "hunter2") {
			t.Errorf("the problem shows the secret: %+v", p)
		}
	}
}

func TestEditedModelsAreObeyed(t *testing.T) {
	t.Parallel()
	models, err := consumer.ParseModels(map[string][]byte{
		"users.json": []byte(`{"$id":"u","type":"object","properties":{"username":{"type":"string"},"phone":{"type":"string"}},"required":["phone"]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := file.Check("c.yml", []byte("users: [{username: al, phone: 123}]"), models); len(problems) > 0 {
		t.Errorf("a number for a text field, and no firstname needed: %v", problems)
	}
	if _, problems := file.Check("c.yml", []byte("users: [{username: al}]"), models); !problems.HasErrors() {
		t.Error("the required phone is missing and nothing was said")
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{fixture, "", "users: [", "a: &a [*a]", "- - - -", "users:\n- username: |\n    x\n", "\x00", "? a\n: b", "%YAML 1.2\n---\n"} {
		f.Add([]byte(seed))
	}
	models, err := consumer.DefaultModels()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		count, problems := file.Check("c.yml", text, models)
		if problems.HasErrors() && count != (file.Count{}) {
			t.Errorf("a refused file counts %+v", count)
		}
		for _, p := range problems {
			if p.Message == "" || p.Code == "" || p.File != "c.yml" {
				t.Errorf("a problem without a place or a text: %+v", p)
			}
		}
	})
}
