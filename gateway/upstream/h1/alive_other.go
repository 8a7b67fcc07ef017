//go:build !unix

package h1

import "net"

// quietness cannot tell here whether something came on an idle connection.
type quietness struct{}

func (*quietness) watch(net.Conn) {}

func (*quietness) still() bool { return true }
