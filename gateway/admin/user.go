package admin

import (
	"maps"
	"net/http"
	"strconv"

	"egk8s.dev/egk8s/gateway/consumer"
)

func (a *api) userRoutes() []route {
	return []route{
		on("GET", "/users", a.listUsers),
		on("POST", "/users", func(c call) (reply, error) {
			return consumerReply(a.Consumers.CreateUser(c, c.body))
		}),
		on("GET", "/users/:id", func(c call) (reply, error) {
			return consumerReply(a.Consumers.FindUser(c, c.params["id"]))
		}),
		on("PUT", "/users/:id", func(c call) (reply, error) {
			return consumerReply(a.Consumers.UpdateUser(c, c.params["id"], c.body))
		}),
		on("DELETE", "/users/:id", func(c call) (reply, error) {
			return reply{status: http.StatusNoContent}, a.Consumers.DeleteUser(c, c.params["id"])
		}),
		on("PUT", "/users/:id/status", a.setUserStatus),
	}
}

func (a *api) listUsers(c call) (reply, error) {
	page, err := pageOf(c)
	if err != nil {
		return reply{}, err
	}
	users, next, err := a.Consumers.Users(c, page)
	return ok2(map[string]any{"users": consumersJSON(users), "nextKey": next}, err)
}

// setUserStatus: as in Express Gateway everything but true deactivates, and this one 404 begins
// with a small letter.
func (a *api) setUserStatus(c call) (reply, error) {
	active := c.body["status"] == true
	changed, err := a.Consumers.SetUserActive(c, c.params["id"], active)
	if isMissing(err) {
		return reply{}, &statusError{http.StatusNotFound, "user not found: " + c.params["id"]}
	}
	if err != nil {
		return reply{}, err
	}
	return status(changed, active)
}

// pageOf reads start and count.
func pageOf(c call) (consumer.Page, error) {
	var page consumer.Page
	for name, target := range map[string]*int{"start": &page.Start, "count": &page.Count} {
		text := c.query.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return page, &badRequestError{name + " must be a number of 0 or more: " + text}
		}
		*target = n
	}
	page.Count = min(page.Count, mostOfPage)
	return page, nil
}

// mostOfPage bounds an answer; nextKey says that there is more.
const mostOfPage = 1000

func ok2(v any, err error) (reply, error) { return reply{http.StatusOK, v}, err }

func consumerReply(c *consumer.Consumer, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return ok(consumerJSON(c))
}

func consumersJSON(list []*consumer.Consumer) []map[string]any {
	out := make([]map[string]any, len(list))
	for i, c := range list {
		out[i] = consumerJSON(c)
	}
	return out
}

// consumerJSON is a consumer as Express Gateway shows it: its model's fields beside the fixed ones.
func consumerJSON(c *consumer.Consumer) map[string]any {
	out := maps.Clone(c.Properties)
	if out == nil {
		out = map[string]any{}
	}
	delete(out, "password")
	out["isActive"], out["id"] = c.IsActive, c.ID
	if c.Kind == consumer.KindApplication {
		out["name"], out["userId"] = c.Name, c.UserID
	} else {
		out["username"] = c.Username
	}
	setDate(out, "createdAt", c.CreatedAt)
	setDate(out, "updatedAt", c.UpdatedAt)
	return out
}
