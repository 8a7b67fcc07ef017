package admin_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"egk8s.dev/egk8s/gateway/admin"
	"egk8s.dev/egk8s/gateway/consumer"
)

func TestRevokeToken(t *testing.T) {
	t.Parallel()
	var opts admin.Options
	srv := newTestAPI(t, func(o *admin.Options) { opts = *o })
	user, err := opts.Consumers.CreateUser(t.Context(), map[string]any{"username": "al", "firstname": "A", "lastname": "L"})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []consumer.TokenKind{consumer.AccessToken, consumer.RefreshToken} {
		token, err := opts.Tokens.Issue(t.Context(), kind, consumer.Grant{ConsumerID: user.ID})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{200, 404} { // once, and no second time
			r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, srv.URL+"/tokens/"+url.PathEscape(token.String()), nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s, time %d: status %d, want %d", kind, i+1, resp.StatusCode, want)
			}
		}
		if kind == consumer.AccessToken {
			if _, _, err := opts.Tokens.AuthenticateToken(t.Context(), token.String()); !errors.Is(err, consumer.ErrUnauthorized) {
				t.Errorf("the token after it was revoked: %v", err)
			}
		}
	}
}
