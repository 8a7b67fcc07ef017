package daemon

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/control"
)

// serveControl answers on the cluster's control socket. Only the owner of the
// cluster and root can open it.
func (d *daemon) serveControl(ctx context.Context, stop context.CancelFunc) (func(), error) {
	l, err := control.Listen(d.cluster, d.spec.UID, d.spec.GID)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+control.StopPath, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		stop()
	})
	mux.HandleFunc("POST "+control.LoadPath, func(w http.ResponseWriter, r *http.Request) {
		notes, err := d.load(r.Context(), r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, notes)
	})
	mux.HandleFunc("POST "+control.LinkPath, func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.FormValue("node"))
		if err == nil {
			err = d.link(number, r.FormValue("up") == "true")
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }()
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	}, nil
}
