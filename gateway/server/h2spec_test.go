//go:build h2spec

package server_test

import (
	"encoding/xml"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const h2spec = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible"

// known lists what Go's own HTTP/2 server fails, by package and description. The fields that belong to one
// connection are refused with 400 where h2spec wants the stream reset.
func known() map[string]bool {
	return map[string]bool{
		"http2/3.5 Sends invalid connection preface":                                                                 true,
		"http2/4.2 Sends a large size HEADERS frame that exceeds the SETTINGS_MAX_FRAME_SIZE":                        true,
		"http2/6.5.3 Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE":                                          true,
		"http2/8.1.2.2 Sends a HEADERS frame that contains the connection-specific header field":                     true,
		`http2/8.1.2.2 Sends a HEADERS frame that contains the TE header field with any value other than "trailers"`: true,
	}
}

// TestH2Spec runs h2spec, which it fetches, against both ports of a gateway: make h2spec.
func TestH2Spec(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "hello")
	}))
	t.Cleanup(backend.Close)
	g := start(t, map[string]string{"gateway.config.yml": overTLS(t, backend.URL, toBackend)}, map[string]string{"EGK8S_ACCESS_LOG": "off"})
	for listener, more := range map[string][]string{"http": nil, "https": {"-t", "-k"}} {
		host, port, _ := net.SplitHostPort(g.Status().Listeners[listener])
		report := filepath.Join(t.TempDir(), "report.xml")
		cmd := exec.Command("go", append([]string{"run", h2spec, "-h", host, "-p", port, "-o", "5", "-j", report}, more...)...)
		out, err := cmd.CombinedOutput() // ends with 1 when anything fails
		text, missing := os.ReadFile(report)
		if missing != nil {
			t.Fatalf("h2spec did not run: %v\n%s", err, out)
		}
		var got struct {
			Suites []struct {
				Cases []struct {
					Package string    `xml:"package,attr"`
					Name    string    `xml:"classname,attr"`
					Failure *struct{} `xml:"failure"`
					Error   *struct{} `xml:"error"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		cases := 0
		for _, suite := range got.Suites {
			for _, c := range suite.Cases {
				cases++
				if failed := c.Failure != nil || c.Error != nil; failed && !known()[c.Package+" "+c.Name] {
					t.Errorf("%s: %s %s", listener, c.Package, c.Name)
				}
			}
		}
		if cases < 140 {
			t.Errorf("%s: only %d cases ran\n%s", listener, cases, out)
		}
		t.Logf("%s: %d cases", listener, cases)
	}
}
