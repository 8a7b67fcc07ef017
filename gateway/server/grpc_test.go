package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// bytesCodec sends messages as they are, so that no code needs to be generated.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "bytes" }

func (bytesCodec) Marshal(v any) ([]byte, error) {
	if b, ok := v.(*[]byte); ok {
		return *b, nil
	}
	return nil, errors.New("not bytes")
}

func (bytesCodec) Unmarshal(data []byte, v any) error {
	if b, ok := v.(*[]byte); ok {
		*b = bytes.Clone(data)
		return nil
	}
	return errors.New("not bytes")
}

var _ encoding.Codec = bytesCodec{}

// grpcService is a gRPC server whose methods all send back what they get, in capitals. /no refuses at once, /hold
// waits until its caller gives up and tells canceled.
func grpcService(t *testing.T, canceled chan<- error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	handler := func(_ any, stream grpc.ServerStream) error {
		switch method, _ := grpc.MethodFromServerStream(stream); method {
		case "/echo.Echo/No":
			return status.Error(codes.ResourceExhausted, "none left: 100 %")
		case "/echo.Echo/Hold":
			<-stream.Context().Done()
			canceled <- stream.Context().Err()
			return stream.Context().Err()
		}
		asked, _ := metadata.FromIncomingContext(stream.Context())
		_ = stream.SendHeader(metadata.MD{"seen": asked["ask"], "seen-bin": asked["ask-bin"]})
		for {
			var message []byte
			if err := stream.RecvMsg(&message); errors.Is(err, io.EOF) {
				stream.SetTrailer(metadata.Pairs("last", "words"))
				return nil
			} else if err != nil {
				return err
			}
			message = bytes.ToUpper(message)
			if err := stream.SendMsg(&message); err != nil {
				return err
			}
		}
	}
	s := grpc.NewServer(grpc.UnknownServiceHandler(handler), grpc.ForceServerCodec(bytesCodec{}))
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return "http://" + l.Addr().String()
}

// newGRPC returns a gRPC client of the service behind a gateway.
func newGRPC(t *testing.T, canceled chan<- error) (context.Context, *grpc.ClientConn) {
	t.Helper()
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(grpcService(t, canceled), "http2: true")}, nil)
	conn, err := grpc.NewClient(g.Status().Listeners["http"], grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(bytesCodec{})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx, conn
}

// TestGRPC has a gRPC client speak with a gRPC server through the gateway, in both directions at a time.
func TestGRPC(t *testing.T) {
	t.Parallel()
	ctx, conn := newGRPC(t, nil)
	ctx = metadata.AppendToOutgoingContext(ctx, "ask", "this", "ask-bin", "\x00\xff")
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/echo.Echo/Talk")
	if err != nil {
		t.Fatal(err)
	}
	head, err := stream.Header() // comes before anything is sent
	if err != nil || len(head["seen"]) != 1 || head["seen"][0] != "this" || head["seen-bin"][0] != "\x00\xff" {
		t.Fatalf("head %v, %v", head, err)
	}
	for _, size := range []int{1, 0, 100, 1 << 20, 3} { // beyond the windows of flow control, too
		sent, got := bytes.Repeat([]byte("a"), size), []byte(nil)
		if err := stream.SendMsg(&sent); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(&got); err != nil || !bytes.Equal(got, bytes.ToUpper(sent)) {
			t.Fatalf("%d bytes went, %d came, %v", size, len(got), err)
		}
	}
	_ = stream.CloseSend()
	var more []byte
	if err := stream.RecvMsg(&more); !errors.Is(err, io.EOF) {
		t.Errorf("the end: %v", err)
	}
	if last := stream.Trailer()["last"]; len(last) != 1 || last[0] != "words" {
		t.Errorf("trailer %v", stream.Trailer())
	}
}

// TestGRPCRefused looks at an answer that is nothing but a head.
func TestGRPCRefused(t *testing.T) {
	t.Parallel()
	ctx, conn := newGRPC(t, nil)
	var in, out []byte
	err := conn.Invoke(ctx, "/echo.Echo/No", &in, &out)
	if s := status.Convert(err); s.Code() != codes.ResourceExhausted || s.Message() != "none left: 100 %" {
		t.Errorf("%v", err)
	}
}

// TestGRPCCanceled holds that a caller who gives up frees the service.
func TestGRPCCanceled(t *testing.T) {
	t.Parallel()
	canceled := make(chan error, 1)
	ctx, conn := newGRPC(t, canceled)
	brief, cancel := context.WithCancel(ctx) // a deadline would reach the service, which then gives up first
	defer cancel()
	time.AfterFunc(300*time.Millisecond, cancel)
	var in, out []byte
	if err := conn.Invoke(brief, "/echo.Echo/Hold", &in, &out); status.Code(err) != codes.Canceled {
		t.Errorf("%v", err)
	}
	select {
	case <-canceled:
	case <-ctx.Done():
		t.Error("the service works on for nobody")
	}
}
