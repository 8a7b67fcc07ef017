package file

import (
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
)

// The sections of consumers.yml and the keys of their entries.
func sections() []string { return []string{"users", "applications", "credentials", "scopes"} }

// Count says how much a file holds.
type Count struct {
	Users, Applications, Credentials, Scopes int
}

// contents is a file that was read and found right.
type contents struct {
	consumers   []*consumer.Consumer
	credentials []*consumer.Credential
	scopes      []string
}

func (c *contents) count() Count {
	n := Count{Credentials: len(c.credentials), Scopes: len(c.scopes)}
	for _, one := range c.consumers {
		if one.Kind == consumer.KindUser {
			n.Users++
		} else {
			n.Applications++
		}
	}
	return n
}

// Check reads consumers.yml without serving it: all that is wrong in one pass, and how much is in it.
// The name is what positions show. Models nil means Express Gateway's own.
func Check(name string, text []byte, models *consumer.Models) (Count, diag.Problems) {
	c, problems := read(name, text, models)
	if c == nil {
		return Count{}, problems
	}
	return c.count(), problems
}

// read returns nil contents when a problem is an error.
func read(name string, text []byte, models *consumer.Models) (*contents, diag.Problems) {
	b := &builder{reader: reader{file: name}, contents: &contents{}, models: models}
	if models == nil {
		own, err := consumer.DefaultModels()
		if err != nil {
			return nil, diag.Problems{{Code: "models", Severity: diag.Error, Message: err.Error()}}
		}
		b.models = own
	}
	root, ok := b.parse(text)
	if ok && b.is(root, isMap, "consumers.yml") {
		b.keys(root, sections(), "a section of consumers.yml")
		b.readScopes(root.get("scopes"))
		b.each(root.get("users"), b.readUser)
		b.each(root.get("applications"), b.readApplication)
		b.each(root.get("credentials"), b.readCredential)
	}
	b.problems.Sort()
	if b.problems.HasErrors() {
		return nil, b.problems
	}
	return b.contents, b.problems
}
