package balancer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// Run does the steps in their order and waits until each is true. done is called after each.
func Run(ctx context.Context, api *triton.Client, steps []Step, done func(Step)) error {
	for _, step := range steps {
		if err := run(ctx, api, step); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		done(step)
	}
	return nil
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
	if _, lost := errors.AsType[*triton.UnreachableError](err); lost {
		m, err = again(ctx, api, s, err)
	}
	if err != nil {
		return err
	}
	_, err = api.WaitRunning(ctx, m.ID)
	return err
}

// again finds the instance that a request whose answer was lost made, or makes it.
func again(ctx context.Context, api *triton.Client, s Step, lost error) (*triton.Machine, error) {
	ours, err := api.Machines(ctx, IDTag, s.New.Tags[IDTag])
	if err != nil {
		return nil, errors.Join(lost, err)
	}
	for _, m := range ours {
		if m.Name == s.New.Name {
			return &m, nil
		}
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
