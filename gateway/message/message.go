// Package message is the gateway's own view of an HTTP exchange: the only HTTP types that policies see.
//
// The engine below (net/http today) can change without touching one policy.
package message
