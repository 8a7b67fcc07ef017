// Package e2e tells what a user sees on two real nodes: real kubelets, real pods, the real helm and
// kubectl. `make e2e` brings the cluster up, sets KUBECONFIG and takes it down.
package e2e
