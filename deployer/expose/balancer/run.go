package balancer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// Run does the steps in their order and waits until each is true; new instances, which take a minute each, are made at
// the same time. done is called after each, never twice at once.
func Run(ctx context.Context, api *triton.Client, steps []Step, done func(Step)) error {
	var mu sync.Mutex
	for len(steps) > 0 {
		n := together(steps)
		g, running := errgroup.WithContext(ctx)
		for _, step := range steps[:n] {
			g.Go(func() error {
				if err := run(running, api, step); err != nil {
					return fmt.Errorf("%s: %w", step, err)
				}
				mu.Lock()
				defer mu.Unlock()
				done(step)
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		steps = steps[n:]
	}
	return nil
}

// together is how many of the first steps may be done at the same time.
func together(steps []Step) int {
	n := 0
	for n < len(steps) && steps[n].Kind == Instance && steps[n].Action == Create {
		n++
	}
	return max(1, n)
}

func run(ctx context.Context, api *triton.Client, s Step) error {
	switch s.Kind {
	case Instance:
		return runInstance(ctx, api, s)
	case NodeName:
		return runNode(ctx, api, s)
	default:
		return runRule(ctx, api, s)
	}
}

func runInstance(ctx context.Context, api *triton.Client, s Step) error {
	switch s.Action {
	case Create:
		return create(ctx, api, s)
	case Delete:
		if err := api.DeleteMachine(ctx, s.ID); err != nil {
			return err
		}
		return api.WaitGone(ctx, s.ID)
	default:
		return adapt(ctx, api, s)
	}
}

// adapt changes an instance that is there.
func adapt(ctx context.Context, api *triton.Client, s Step) error {
	if s.Start {
		if err := api.StartMachine(ctx, s.ID); err != nil {
			return err
		}
	}
	if len(s.Tags) > 0 {
		if err := api.AddTags(ctx, s.ID, s.Tags); err != nil {
			return err
		}
	}
	if len(s.Metadata) > 0 {
		if err := api.AddMetadata(ctx, s.ID, s.Metadata); err != nil {
			return err
		}
	}
	for _, key := range s.Drop {
		if err := api.DeleteMetadata(ctx, s.ID, key); err != nil {
			return err
		}
	}
	for key, value := range s.Tags {
		if err := api.WaitTag(ctx, s.ID, key, value); err != nil {
			return err
		}
	}
	if err := api.WaitMetadata(ctx, s.ID, s.Metadata); err != nil {
		return err
	}
	_, err := api.WaitRunning(ctx, s.ID)
	return err
}

// create makes an instance once, also when the answer to the request is lost: it is then looked for by its tag.
func create(ctx context.Context, api *triton.Client, s Step) error {
	if err := checkPortmap(s.New.Metadata[metaPortmap]); err != nil {
		return err
	}
	m, err := api.CreateMachine(ctx, s.New)
	if unsure(err) {
		m, err = again(ctx, api, s, err)
	}
	if err != nil {
		return err
	}
	_, err = api.WaitRunning(ctx, m.ID)
	return err
}

// unsure tells of a request that may have made the instance, or found it made: by itself with a lost answer, or by a run
// that was killed.
func unsure(err error) bool {
	_, lost := errors.AsType[*triton.UnreachableError](err)
	refused, answered := errors.AsType[*triton.APIError](err)
	return lost || answered && refused.Status == http.StatusConflict
}

// again finds the instance that an earlier request made; where there is none and the answer was lost, it makes it.
func again(ctx context.Context, api *triton.Client, s Step, before error) (*triton.Machine, error) {
	ours, err := api.Machines(ctx, IDTag, s.New.Tags[IDTag])
	if err != nil {
		return nil, errors.Join(before, err)
	}
	for _, m := range ours {
		if m.Name == s.New.Name {
			return &m, nil
		}
	}
	if _, lost := errors.AsType[*triton.UnreachableError](before); !lost {
		return nil, before
	}
	return api.CreateMachine(ctx, s.New)
}

// runNode writes a node's tag as it is now, with our entry or without it: since the plan was made somebody else may have
// added one of theirs.
func runNode(ctx context.Context, api *triton.Client, s Step) error {
	m, err := api.Machine(ctx, s.ID)
	if triton.IsNotFound(err) && s.Entry == "" {
		return nil
	}
	if err != nil {
		return err
	}
	before := services(m)
	after := s.entries(before)
	wanted := strings.Join(after, ",")
	switch {
	case slices.Equal(before, after):
		return nil
	case wanted == "":
		err = api.DeleteTag(ctx, s.ID, triton.ServicesTag)
	default:
		err = api.AddTags(ctx, s.ID, map[string]string{triton.ServicesTag: wanted})
	}
	if err != nil {
		return err
	}
	return api.WaitTag(ctx, s.ID, triton.ServicesTag, wanted)
}

func runRule(ctx context.Context, api *triton.Client, s Step) error {
	switch s.Action {
	case Create:
		_, err := api.CreateRule(ctx, s.Rule)
		return err
	case Change:
		return api.UpdateRule(ctx, s.Rule)
	default:
		return api.DeleteRule(ctx, s.ID)
	}
}
