package file

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
)

// builder turns values into consumers and credentials.
type builder struct {
	reader
	*contents
	models *consumer.Models
	places map[string]diag.Position // where a name or an id was first used
	byID   map[string]*consumer.Consumer
	byName map[string][]*consumer.Consumer // usernames and names of applications
}

// is adds a problem when v has another form than wanted.
func (b *builder) is(v value, want form, what string) bool {
	if v.form == want {
		return true
	}
	b.add("wrong-type", v.pos, "%s must be %s, this is %s", what, want, v.form)
	return false
}

// keys refuses fields that are not known.
func (b *builder) keys(v value, known []string, what string) {
	for _, f := range v.fields {
		if slices.Contains(known, f.name) {
			continue
		}
		p := b.add("unknown-key", f.pos, "%q is not %s", f.name, what)
		p.Length = len(f.name)
		p.Suggestion = diag.Suggest(f.name, known)
		if p.Suggestion == "" {
			p.Hint = fmt.Sprintf("known are %v", known)
		}
	}
}

// each runs read on every entry of a section.
func (b *builder) each(section *value, read func(value)) {
	if section == nil || section.form == isScalar && section.scalar == nil {
		return
	}
	if !b.is(*section, isList, "a section") {
		return
	}
	for _, entry := range section.list {
		if b.is(entry, isMap, "an entry") {
			read(entry)
		}
	}
}

// text reads a field that must be a single value; absent is "".
func (b *builder) text(v value, name string) string {
	f := v.get(name)
	if f == nil || !b.is(*f, isScalar, name) {
		return ""
	}
	return f.text
}

// need is text for a field that must be there.
func (b *builder) need(v value, name, what string) (string, bool) {
	text := b.text(v, name)
	if text == "" {
		b.add("missing-key", v.pos, "%s needs %s", what, name)
	}
	return text, text != ""
}

// active reads isActive, true when absent.
func (b *builder) active(v value) bool {
	f := v.get("isActive")
	if f == nil {
		return true
	}
	on, ok := f.scalar.(bool)
	if !ok {
		b.add("wrong-type", f.pos, "isActive must be true or false")
	}
	return on
}

// once refuses a second use of a name or an id.
func (b *builder) once(what, name string, pos diag.Position) bool {
	key := what + "\x00" + name
	if first, used := b.places[key]; used {
		p := b.add("duplicate", pos, "the %s %q exists already", what, name)
		p.Label = "first at " + first.String()
		return false
	}
	if b.places == nil {
		b.places = map[string]diag.Position{}
	}
	b.places[key] = pos
	return true
}

func (b *builder) readScopes(section *value) {
	if section == nil || section.form == isScalar && section.scalar == nil {
		return
	}
	if !b.is(*section, isList, "scopes") {
		return
	}
	for _, v := range section.list {
		if b.is(v, isScalar, "a scope") && b.once("scope", v.text, v.pos) {
			if v.text == "" {
				b.add("missing-key", v.pos, "a scope needs a name")
				continue
			}
			b.scopes = append(b.scopes, v.text)
		}
	}
}

func (b *builder) readUser(v value) {
	b.modelKeys(v, b.models.Users, "a field of users", "username", "id", "isActive")
	username, ok := b.need(v, "username", "a user")
	if !ok || !b.once("user", username, v.pos) {
		return
	}
	c := &consumer.Consumer{Kind: consumer.KindUser, Username: username, IsActive: b.active(v)}
	c.ID = b.id(v, "user", username)
	c.Properties = b.model(v, b.models.Users)
	delete(c.Properties, "username")
	b.admit(c)
}

func (b *builder) readApplication(v value) {
	b.modelKeys(v, b.models.Applications, "a field of applications", "name", "user", "id", "isActive")
	name, named := b.need(v, "name", "an application")
	owner, owned := b.need(v, "user", "an application")
	if !named || !owned {
		return
	}
	user := b.owner(owner)
	if user == nil {
		p := b.add("unknown-user", v.get("user").pos, "there is no user %q", owner)
		p.Suggestion = diag.Suggest(owner, b.names(consumer.KindUser))
		return
	}
	if !b.once("application", user.Username+"/"+name, v.pos) {
		return
	}
	c := &consumer.Consumer{
		Kind: consumer.KindApplication, Name: name, UserID: user.ID,
		IsActive: b.active(v) && user.IsActive, // deactivating a user takes its applications along
	}
	c.ID = b.id(v, "application", user.Username, name)
	c.Properties = b.model(v, b.models.Applications)
	delete(c.Properties, "name")
	b.admit(c)
}

// modelKeys allows the model's properties beside the fixed keys.
func (b *builder) modelKeys(v value, m *consumer.Model, what string, fixed ...string) {
	known := fixed
	for _, f := range v.fields {
		if m.Has(f.name) {
			known = append(known, f.name)
		}
	}
	for _, name := range []string{"password", "secret", "keySecret"} {
		if f := v.get(name); f != nil && !slices.Contains(known, name) {
			b.plainSecret(name, *f)
			known = append(known, name)
		}
	}
	b.keys(v, known, what)
}

// model validates an entry by the model and returns its properties with the defaults.
func (b *builder) model(v value, m *consumer.Model) map[string]any {
	fields, _ := v.plain().(map[string]any)
	fields = maps.Clone(fields)
	for _, name := range []string{"id", "isActive", "user"} {
		if !m.Has(name) {
			delete(fields, name)
		}
	}
	checked, err := m.Check(fields)
	if err != nil {
		b.add("model", v.pos, "%s", err)
		return nil
	}
	return checked
}

// id is the one given, or one derived from the names: the same in every replica and after every restart.
func (b *builder) id(v value, names ...string) string {
	id := b.text(v, "id")
	if id == "" {
		all := "egk8s\x00" + strings.Join(names, "\x00")
		id = uuid.NewSHA1(uuid.NameSpaceURL, []byte(all)).String()
	}
	b.once("id", id, v.pos)
	return id
}

// admit takes a consumer over and makes it findable.
func (b *builder) admit(c *consumer.Consumer) {
	if b.byID == nil {
		b.byID, b.byName = map[string]*consumer.Consumer{}, map[string][]*consumer.Consumer{}
	}
	b.consumers = append(b.consumers, c)
	b.byID[c.ID] = c
	b.byName[c.DisplayName()] = append(b.byName[c.DisplayName()], c)
}

// owner finds a user by username, then by id.
func (b *builder) owner(nameOrID string) *consumer.Consumer {
	for _, c := range b.byName[nameOrID] {
		if c.Kind == consumer.KindUser {
			return c
		}
	}
	if c := b.byID[nameOrID]; c != nil && c.Kind == consumer.KindUser {
		return c
	}
	return nil
}

func (b *builder) names(kinds ...consumer.Kind) []string {
	var out []string
	for _, c := range b.consumers {
		if slices.Contains(kinds, c.Kind) {
			out = append(out, c.DisplayName())
		}
	}
	return out
}
