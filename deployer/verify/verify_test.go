package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/verify"
	"egk8s.dev/egk8s/gateway/offline"
)

// pods answers as replicas do.
type pods func(pod string) (int, string, error)

func (p pods) PodGet(_ context.Context, _, pod string, _ int, _ string) (int, []byte, error) {
	status, body, err := p(pod)
	return status, []byte(body), err
}

func loaded(digest string) string { return fmt.Sprintf(`{"version":"1","loadedDigest":%q}`, digest) }

// TestWait: a replica that loads the config a moment later is right; one that keeps another config is
// a cause; one that does not answer is left to the prober.
func TestWait(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	ask := pods(func(pod string) (int, string, error) {
		switch {
		case pod == "silent":
			return 0, "", errors.New("refused")
		case pod == "late" && asked.Add(1) < 3:
			return http.StatusOK, loaded("old"), nil
		default:
			return http.StatusOK, loaded("new"), nil
		}
	})
	list := []verify.Pod{{Name: "good"}, {Name: "late"}, {Name: "silent", IP: "10.0.0.1"}}
	states, causes, unreached := verify.Wait(t.Context(), ask, "n", 1, list, verify.Want{Config: "new"})
	if len(causes) != 0 || asked.Load() != 3 || states[1].LoadedDigest != "new" {
		t.Errorf("causes %v, states %+v", causes, states)
	}
	if d := cmp.Diff(list[2:], unreached); d != "" {
		t.Error(d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, causes, _ = verify.Wait(ctx, ask, "n", 1, list[:1], verify.Want{Config: "other"})
	if len(causes) != 1 || causes[0].Code != "digest-differs" || causes[0].Object != "Pod/good" {
		t.Errorf("causes %+v", causes)
	}
}

// TestJudge: what an answer to a probe means.
func TestJudge(t *testing.T) {
	t.Parallel()
	at := verify.Address{IP: "10.0.0.9", HTTP: 80}
	probes := verify.Probes(at,
		[]verify.Declared{{Path: "/shop", Expect: 200}},
		[]offline.Route{
			{Endpoint: "open", Path: "/open"},
			{Endpoint: "orders", Path: "/orders", Proxy: "orders"},
			{Endpoint: "write", Path: "/write", Method: http.MethodPost},
			{Endpoint: "pattern"},
		})
	if len(probes) != 3 {
		t.Fatalf("%d probes: only read-only ones with a path are sent", len(probes))
	}
	declared, open, proxied := probes[0], probes[1], probes[2]
	own := `<pre>Cannot GET /open</pre>`
	cases := []struct {
		name    string
		probe   verify.Probe
		answer  *verify.Answer
		outcome string
		says    string
	}{
		{"declared and right", declared, &verify.Answer{Status: 200, Final: true}, verify.OK, ""},
		{"declared and wrong", declared, &verify.Answer{Status: 404, Config: "d"}, verify.Wrong, "answered 404, expected 200"},
		{"no answer", declared, &verify.Answer{Error: "connection refused"}, verify.Wrong, "connection refused"},
		{"never sent", open, nil, verify.Wrong, "sent nothing"},
		{"routed, and asked for a key", open, &verify.Answer{Status: 401, Final: true}, verify.OK, ""},
		{"not routed", open, &verify.Answer{Status: 404, Body: own, Config: "d"}, verify.Wrong, "no route"},
		{"not routed to the service", proxied, &verify.Answer{Status: 404, Body: own, Config: "d"}, verify.Wrong, "no route"},
		{"routed, and not found behind", proxied, &verify.Answer{Status: 404, Body: own, By: "upstream", Config: "d", Final: true}, verify.OK, ""},
		{"a policy says not found", open, &verify.Answer{Status: 404, Body: "gone", By: "gateway", Config: "d"}, verify.OK, ""},
		{"an old replica answers", declared, &verify.Answer{Status: 200}, verify.Wrong, "not by a gateway with this configuration"},
		{"nothing behind", proxied, &verify.Answer{Status: 502, Config: "d"}, verify.Warning, `"orders", does not answer`},
		{"too slow behind", proxied, &verify.Answer{Error: "deadline", Timeout: true}, verify.Warning, `"orders", does not answer in time`},
		{"nobody answers", proxied, &verify.Answer{Error: "deadline", Timeout: true}, verify.Wrong, "deadline"},
		{"refused", proxied, &verify.Answer{Error: "connection refused"}, verify.Wrong, "connection refused"},
		{"the gateway itself is too slow", open, &verify.Answer{Error: "deadline", Timeout: true}, verify.Wrong, "deadline"},
		{"declared and too slow", declared, &verify.Answer{Error: "deadline", Timeout: true}, verify.Wrong, "deadline"},
		{"the gateway itself fails", open, &verify.Answer{Status: 503, Config: "d"}, verify.Wrong, "answered 503"},
		{"an error behind", proxied, &verify.Answer{Status: 500, Final: true}, verify.Warning, "500"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := c.probe.Judge(c.answer, c.name != "nobody answers")
			if r.Outcome != c.outcome || !strings.Contains(r.Message, c.says) {
				t.Errorf("%+v", r)
			}
		})
	}
	if r := declared.Judge(&verify.Answer{Status: 200, Final: true}, true); r.Method != "GET" || r.Path != "/shop" || r.Name != "GET /shop" {
		t.Errorf("%+v", r)
	}
}

// TestAnswerFormat: the prober's lines, as docs/reference/prober.md writes them, are read.
func TestAnswerFormat(t *testing.T) {
	t.Parallel()
	var a verify.Answer
	line := `{"id":"customers","attempt":2,"status":200,"ms":3,"type":"application/json","body":"x","final":true}`
	if err := json.Unmarshal([]byte(line), &a); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(verify.Answer{ID: "customers", Attempt: 2, Status: 200, Type: "application/json", Body: "x", Final: true}, a); d != "" {
		t.Error(d)
	}
}
