package image

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Progress is how far a delivery is.
type Progress struct {
	Item   string // platform of a layer, or the name of a node
	Done   int64  // bytes
	Total  int64
	Exists bool // it was there already, nothing was sent
}

// PushOptions are the choices of Push.
type PushOptions struct {
	Repository string         // registry.example.com/team/gateway
	Insecure   bool           // plain http allowed; to a registry on this machine it always is
	Progress   func(Progress) // may be nil; never called twice at the same time
}

// Pushed is what Push did.
type Pushed struct {
	Reference string // repository:tag@digest
	Existed   bool   // the registry had it, nothing was sent
}

// Push sends the image to a registry, with the credentials that docker's configuration and its
// credential helpers give. Errors are *Error.
func (i *Image) Push(ctx context.Context, opts PushOptions) (Pushed, error) {
	pushed := Pushed{Reference: i.Reference(opts.Repository, true)}
	var nameOptions []name.Option
	if opts.Insecure {
		nameOptions = append(nameOptions, name.Insecure)
	}
	tag, err := name.NewTag(opts.Repository+":"+i.Tag, nameOptions...)
	if err != nil {
		return pushed, &Error{
			Verb: "push", Image: opts.Repository, Err: err, Hint: "image.repository as registry.example.com/team/gateway, without a tag",
		}
	}
	p, err := i.newPush(ctx, tag, opts)
	if err != nil {
		return pushed, pushError(pushed.Reference, tag.RegistryStr(), err)
	}
	if pushed.Existed, err = p.run(ctx); err != nil {
		return pushed, pushError(pushed.Reference, tag.RegistryStr(), err)
	}
	return pushed, nil
}

// push is one transfer to one repository.
type push struct {
	image    *Image
	tag      name.Tag
	options  []remote.Option
	pusher   *remote.Pusher
	mu       sync.Mutex
	progress func(Progress)
}

func (i *Image) newPush(ctx context.Context, tag name.Tag, opts PushOptions) (*push, error) {
	options := []remote.Option{
		remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithContext(ctx), remote.WithUserAgent("egk8s"),
		remote.WithTransport(&guard{next: remote.DefaultTransport, insecure: opts.Insecure}),
	}
	pusher, err := remote.NewPusher(options...)
	if err != nil {
		return nil, err
	}
	p := &push{image: i, tag: tag, options: options, pusher: pusher, progress: opts.Progress}
	if p.progress == nil {
		p.progress = func(Progress) {}
	}
	return p, nil
}

// run sends what the registry does not have: the layers with their progress, then the manifests.
func (p *push) run(ctx context.Context) (existed bool, err error) {
	if head, err := remote.Head(p.tag, p.options...); err == nil && head.Digest.String() == p.image.Digest {
		for _, platform := range p.image.Platforms {
			size := p.image.layers[platform].size
			p.report(Progress{Item: platform, Done: size, Total: size, Exists: true})
		}
		return true, nil
	}
	for _, platform := range p.image.Platforms {
		if err := p.upload(ctx, platform); err != nil {
			return false, err
		}
	}
	return false, p.pusher.Push(ctx, p.tag, p.image.index)
}

func (p *push) upload(ctx context.Context, platform string) error {
	l := p.image.layers[platform]
	there, err := remote.Layer(p.tag.Digest(l.digest.String()), p.options...)
	if err != nil {
		return err
	}
	if exists, err := partial.Exists(there); err == nil && exists {
		p.report(Progress{Item: platform, Done: l.size, Total: l.size, Exists: true})
		return nil
	}
	return p.pusher.Upload(ctx, p.tag.Repository, &counted{Layer: l, report: func(done int64) {
		p.report(Progress{Item: platform, Done: done, Total: l.size})
	}})
}

func (p *push) report(progress Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress(progress)
}

// counted is a layer that tells how many of its bytes were read. A retry begins again.
type counted struct {
	v1.Layer
	report func(done int64)
}

func (c *counted) Compressed() (io.ReadCloser, error) {
	r, err := c.Layer.Compressed()
	return &countingReader{ReadCloser: r, report: c.report}, err
}

type countingReader struct {
	io.ReadCloser
	done   int64
	report func(done int64)
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	if n > 0 {
		c.done += int64(n)
		c.report(c.done)
	}
	return n, err
}

var errPlainHTTP = errors.New("the registry speaks http without TLS")

// guard keeps images and passwords off networks without TLS: the client library would try http for
// private addresses by itself.
type guard struct {
	next     http.RoundTripper
	insecure bool
}

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "http" || g.insecure || loopback(r.URL.Hostname()) {
		return g.next.RoundTrip(r)
	}
	return nil, errPlainHTTP
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
