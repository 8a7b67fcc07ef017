package server_test

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// person is a browser with its cookies, which follows no redirect by itself.
type person struct {
	t      *testing.T
	client *http.Client
}

func newTestPerson(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// ask sends a request; a body is a form, or JSON when it begins with a brace.
func (p *person) ask(method, target, body string, header ...string) reply {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("User-Agent", "Mozilla/5.0")
	switch {
	case strings.HasPrefix(body, "{"):
		req.Header.Set("Content-Type", "application/json")
	case body != "":
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return reply{resp, string(text)}
}

// wants asks and insists on a status.
func (p *person) wants(status int, method, target, body string, header ...string) reply {
	p.t.Helper()
	got := p.ask(method, target, body, header...)
	if got.StatusCode != status {
		p.t.Fatalf("%s %s: %d %s, want %d", method, target, got.StatusCode, got.body, status)
	}
	return got
}

func (r reply) text(t *testing.T, name string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(r.body), &fields); err != nil {
		t.Fatalf("%q: %v", r.body, err)
	}
	value, _ := fields[name].(string)
	return value
}

func hidden(t *testing.T, page reply, name string) string {
	t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page.body)
	if found == nil {
		t.Fatalf("no field %s in %s", name, page.body)
	}
	return html.UnescapeString(found[1])
}

// oauth2Config lists oauth2, with a pipeline for /api that wants a token.
func oauth2Config(backend, policies string) string {
	return `http: {port: 0, hostname: 127.0.0.1}
admin: {port: 0, host: 127.0.0.1}
apiEndpoints: {api: {paths: '/api/*', scopes: [read]}}
serviceEndpoints: {backend: {url: '` + backend + `'}}
policies: [` + policies + `]
pipelines:
  main:
    apiEndpoints: [api]
    policies:
` + map[bool]string{true: "    - oauth2:\n", false: ""}[strings.Contains(policies, "oauth2")] +
		"    - proxy: [{action: {serviceEndpoint: backend}}]\n"
}

// TestOAuth2Flow is a whole life of a token: login, consent, code, token, request, refresh, revocation.
func TestOAuth2Flow(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Eg-Consumer-Id")+" "+r.Header.Get("Authorization"))
	}))
	t.Cleanup(backend.Close)
	const model = `{"$id": "http://express-gateway.io/models/credentials.json", "type": "object", "properties": {` +
		`"basic-auth": {"type": "object", "properties": {"passwordKey": {"default": "password"}, "scopes": {}}},` +
		`"oauth2": {"type": "object", "properties": {"passwordKey": {"default": "secret"}, "scopes": {}}}}}`
	r := start(t, map[string]string{
		"gateway.config.yml":       oauth2Config(backend.URL, "oauth2, proxy"),
		"system.config.yml":        emulated + "crypto: {saltRounds: 4}\nsession: {secret: sixteen characters or more}\n",
		"models/credentials.json":  model,
		"models/applications.json": `{"$id": "http://express-gateway.io/models/applications.json", "type": "object", "properties": {"name": {"type": "string"}, "redirectUri": {"type": "string"}}}`,
	}, nil)
	gw, admin, p := r.url("http"), r.url("admin"), newTestPerson(t)
	p.wants(201, "POST", admin+"/scopes", `{"scopes": ["read"]}`)
	p.wants(200, "POST", admin+"/users", `{"username": "alice"}`)
	p.wants(200, "POST", admin+"/credentials", `{"consumerId": "alice", "type": "basic-auth", "credential": {"password": "s3cret"}}`)
	app := p.wants(200, "POST", admin+"/apps", `{"userId": "alice", "name": "app1", "redirectUri": "http://cb.test/cb"}`).text(t, "id")
	p.wants(200, "POST", admin+"/credentials", `{"consumerId": "`+app+`", "type": "oauth2", "credential": {"secret": "appsec", "scopes": ["read"]}}`)

	p.wants(401, "GET", gw+"/api/x", "")
	authorize := "/oauth2/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {app}, "redirect_uri": {"http://cb.test/cb"}, "scope": {"read"}, "state": {"s"},
	}.Encode()
	p.wants(302, "GET", gw+authorize, "")
	login := p.wants(200, "GET", gw+"/login", "")
	form := url.Values{"username": {"alice"}, "password": {"s3cret"}, "csrf_token": {hidden(t, login, "csrf_token")}}
	if got := p.wants(302, "POST", gw+"/login", form.Encode(), "Origin", gw); got.Header.Get("Location") != authorize {
		t.Fatalf("after the login to %s", got.Header.Get("Location"))
	}
	consent := p.wants(200, "GET", gw+authorize, "")
	form = url.Values{"transaction_id": {hidden(t, consent, "transaction_id")}}
	back, err := p.wants(302, "POST", gw+"/oauth2/authorize/decision", form.Encode(), "Origin", gw).Location()
	if err != nil || back.Host != "cb.test" || back.Query().Get("state") != "s" {
		t.Fatalf("back to %v, %v", back, err)
	}
	form = url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {"http://cb.test/cb"},
		"client_id": {app}, "client_secret": {"appsec"},
	}
	answer := p.wants(200, "POST", gw+"/oauth2/token", form.Encode())
	token, refresh := answer.text(t, "access_token"), answer.text(t, "refresh_token")
	p.wants(403, "POST", gw+"/oauth2/token", form.Encode())

	if got := p.wants(200, "GET", gw+"/api/x", "", "Authorization", "Bearer "+token); got.body != app+" " {
		t.Errorf("the backend saw %q", got.body)
	}
	p.wants(200, "GET", gw+"/api/x?access_token="+url.QueryEscape(token), "")
	form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {app}, "client_secret": {"appsec"}}
	if got := p.wants(200, "POST", gw+"/oauth2/token", form.Encode()).text(t, "access_token"); got != token {
		t.Errorf("the refreshed token is %s", got)
	}

	// A reload keeps tokens and sessions.
	writeFiles(t, r.dir, map[string]string{"gateway.config.yml": oauth2Config(backend.URL, "oauth2, proxy, terminate")})
	eventually(t, "the reload", func() bool { return len(r.Config().Policies) == 3 })
	p.wants(200, "GET", gw+"/api/x", "", "Authorization", "Bearer "+token)
	p.wants(200, "GET", gw+authorize, "")

	p.wants(200, "DELETE", admin+"/tokens/"+url.PathEscape(token), "")
	p.wants(401, "GET", gw+"/api/x", "", "Authorization", "Bearer "+token)
	p.wants(404, "DELETE", admin+"/tokens/"+url.PathEscape(token), "")

	// Without the policy in the list its routes are gone.
	writeFiles(t, r.dir, map[string]string{"gateway.config.yml": oauth2Config(backend.URL, "proxy")})
	eventually(t, "the second reload", func() bool { return len(r.Config().Policies) == 1 })
	p.wants(404, "GET", gw+"/login", "")
	for _, planted := range []string{token, refresh, "s3cret", "appsec", "sixteen characters"} {
		if strings.Contains(r.log.String(), planted) {
			t.Errorf("the log tells %q", planted)
		}
	}
}
