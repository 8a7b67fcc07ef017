package admin

import (
	"errors"
	"maps"
	"net/http"

	"egk8s.dev/egk8s/gateway/consumer"
)

func (a *api) applicationRoutes() []route {
	return []route{
		on("GET", "/apps", func(c call) (reply, error) {
			page, err := pageOf(c)
			if err != nil {
				return reply{}, err
			}
			apps, next, err := a.Consumers.Applications(c, page)
			return ok2(map[string]any{"apps": consumersJSON(apps), "nextKey": next}, err)
		}),
		on("POST", "/apps", func(c call) (reply, error) {
			fields := maps.Clone(c.body)
			delete(fields, "userId")
			return consumerReply(a.Consumers.CreateApplication(c, c.text("userId"), fields))
		}),
		on("GET", "/apps/:id", func(c call) (reply, error) {
			return consumerReply(a.Consumers.FindApplication(c, c.params["id"]))
		}),
		on("PUT", "/apps/:id", func(c call) (reply, error) {
			return consumerReply(a.Consumers.UpdateApplication(c, c.params["id"], c.body))
		}),
		on("DELETE", "/apps/:id", func(c call) (reply, error) {
			return reply{status: http.StatusNoContent}, a.Consumers.DeleteApplication(c, c.params["id"])
		}),
		on("PUT", "/apps/:id/status", func(c call) (reply, error) {
			active := c.body["status"] == true
			changed, err := a.Consumers.SetApplicationActive(c, c.params["id"], active)
			if err != nil {
				return reply{}, err
			}
			return status(changed, active)
		}),
	}
}

func isMissing(err error) bool { return errors.Is(err, consumer.ErrNotFound) }
