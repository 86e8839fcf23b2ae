package deploy

import (
	"cmp"
	crypto "crypto/rand"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/jobs"
)

// The parts of the platform that jobs have an address of, and those whose jobs
// have users of their own.
const (
	partEvents  = "events"
	partObjects = "objects"
	partMarket  = "market"
	partMail    = "mail"
)

// Items that are made from others.
const (
	itemBus         = "bus"             // URL of the event bus, with user and password
	itemBusAddress  = "bus_address"     // host:port of it
	itemBusPassword = "bus_password"    // of the job's user there
	itemAccessKey   = "access_key"      // to the object store
	itemSecretKey   = "secret_key"      // likewise
	itemRootUser    = "root_user"       // of the object store
	itemUnsubscribe = "unsubscribe_key" // the same for all jobs that read it
	itemSystem      = "system"          // the event bus's own user
)

// keyOf is the item of the object store's job that holds the key of another's.
func keyOf(job string) string { return "key_" + job }

// addressed are the items that say where a part is, with what is around its address.
var addressed = map[string]struct{ part, before, after string }{
	"objects":      {partObjects, "s3+http://", "/uploads"},
	"market":       {partMarket, "http://", ""},
	"mail":         {partMail, "smtp://", ""},
	itemBusAddress: {partEvents, "", ""},
}

// rootUser is the user of a part that may do everything.
const rootUser = "drydock"

// variables are the items of the jobs' Nomad variables, by the IDs of the jobs.
type variables map[string]map[string]string

// vault knows what the items of all jobs are to be.
type vault struct {
	options Options
	units   []*unit
	items   variables // at first as they are in Nomad, then as they are to be
	missing []MissingItem
}

// fill completes the items of the chosen jobs. The parts come first: what they
// know others by is what those are given.
func (v *vault) fill() {
	for _, u := range v.units {
		if v.items[u.id] == nil {
			v.items[u.id] = map[string]string{}
		} else {
			v.items[u.id] = maps.Clone(v.items[u.id])
		}
	}
	for _, u := range inOrder(v.units) {
		if !u.here() || u.Part() == "" && !u.chosen {
			continue
		}
		for _, name := range v.wanted(u) {
			if value, ok := v.value(u, name); ok {
				v.items[u.id][name] = value
			} else if u.chosen && !slices.Contains(u.items.Optional, name) {
				v.missing = append(v.missing, v.lacks(u, name))
			}
		}
	}
}

// inOrder are the jobs of parts, those of the event bus first, and then the others.
func inOrder(units []*unit) []*unit {
	rank := func(u *unit) int { return slices.Index([]string{"", partObjects, partEvents}, u.Part()) }
	place := func(u *unit) int {
		if r := rank(u); r >= 0 {
			return -r
		}
		return -1
	}
	sorted := slices.Clone(units)
	slices.SortStableFunc(sorted, func(a, b *unit) int { return cmp.Compare(place(a), place(b)) })
	return sorted
}

// wanted are the items that a job is to have, in the order of their names.
func (v *vault) wanted(u *unit) []string {
	names := slices.Concat(u.items.Needed, u.items.Optional)
	if u.items.All {
		names = append(names, v.users(u)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// users are the items by which a part's job knows the other jobs of the folder.
func (v *vault) users(part *unit) (names []string) {
	for _, u := range v.units {
		switch {
		case part.Part() == partEvents && (u.items.Reads(itemBus) || u.items.Reads(itemBusPassword)):
			names = append(names, u.id)
		case part.Part() == partObjects && u.items.Reads(itemSecretKey):
			names = append(names, keyOf(u.id))
		}
	}
	if part.Part() == partEvents {
		names = append(names, itemSystem)
	}
	return names
}

// value is what an item is to be: as it is given, as others have it, or as it
// is already; false if nobody says.
func (v *vault) value(u *unit, name string) (string, bool) {
	for _, given := range []string{u.Name + "." + name, name} {
		if value, ok := v.options.Items[given]; ok {
			return value, true
		}
	}
	current, there := v.items[u.id][name]
	switch {
	case slices.Contains(v.users(u), name): // before its name can mean anything else
		if there {
			return current, true
		}
		return v.password(u.Part(), name), true
	case name == itemBus:
		return v.bus(u)
	case name == itemBusPassword:
		return v.shared(partEvents, u.id, current)
	case name == itemSecretKey:
		return v.shared(partObjects, keyOf(u.id), current)
	case name == itemAccessKey && v.part(partObjects) != nil:
		return u.id, true
	case name == itemUnsubscribe:
		return v.unsubscribeKey(), true
	}
	if where, ok := addressed[name]; ok {
		if address := v.options.Addresses[where.part]; address != "" {
			return where.before + address + where.after, true
		}
		return current, there
	}
	switch {
	case there:
		return current, true
	case u.Part() == "" || slices.Contains(u.items.Optional, name):
	case name == itemRootUser:
		return rootUser, true
	case u.Part() == partEvents, strings.HasSuffix(name, "password"):
		return crypto.Text(), true // a secret of the part's own
	}
	return "", false
}

// password is that by which a part is to know a user: the one that a job has
// already, from a part that was there before, or a new one.
func (v *vault) password(part, name string) string {
	for _, u := range v.units {
		if password := v.passwordOf(u, part, name); password != "" {
			return password
		}
	}
	return crypto.Text()
}

// passwordOf is the one that a job has for a part, if it is the user of that name.
func (v *vault) passwordOf(u *unit, part, name string) string {
	items := v.items[u.id]
	switch {
	case part == partObjects && name == keyOf(u.id):
		return items[itemSecretKey]
	case part != partEvents || name != u.id:
		return ""
	case items[itemBusPassword] != "":
		return items[itemBusPassword]
	}
	bus, err := url.Parse(items[itemBus])
	if err != nil || bus.User == nil || bus.User.Username() != u.id {
		return ""
	}
	password, _ := bus.User.Password()
	return password
}

// part is the job of a part of the platform, if that is deployed.
func (v *vault) part(name string) *unit {
	for _, u := range v.units {
		if u.Part() == name && u.here() {
			return u
		}
	}
	return nil
}

// shared is the item of a part's job that is to be another's as well; without
// that job it is what it is.
func (v *vault) shared(part, name, current string) (string, bool) {
	if u := v.part(part); u != nil {
		value, ok := v.items[u.id][name]
		return value, ok
	}
	return current, current != ""
}

// bus is the URL by which a job reaches the event bus as its own user.
func (v *vault) bus(u *unit) (string, bool) {
	current := v.items[u.id][itemBus]
	part := v.part(partEvents)
	if part == nil {
		return current, current != ""
	}
	password, ok := v.items[part.id][u.id]
	if !ok {
		return "", false
	}
	address := v.options.Addresses[partEvents]
	if address != "" {
		bus := url.URL{Scheme: "nats", User: url.UserPassword(u.id, password), Host: address}
		if replicas := replicasOf(part); replicas > 1 {
			bus.RawQuery = "replicas=" + strconv.Itoa(replicas)
		}
		return bus.String(), true
	}
	bus, err := url.Parse(current)
	if current == "" || err != nil {
		return "", false
	}
	if bus.User != nil && bus.User.Username() == u.id {
		bus.User = url.UserPassword(u.id, password)
	}
	return bus.String(), true
}

// replicasOf is on how many instances of the event bus an event is to be.
func replicasOf(part *unit) int {
	job := part.known
	if part.chosen {
		job = part.Job.Job
	}
	count := 0
	for _, group := range job.TaskGroups {
		count += countOf(group)
	}
	if count >= 3 {
		return 3
	}
	return 1
}

// countOf is how many instances a group is to have.
func countOf(group *api.TaskGroup) int {
	if group.Count == nil {
		return 1
	}
	return *group.Count
}

// unsubscribeKey is the one that a job has already, or a new one, which all
// others get as well.
func (v *vault) unsubscribeKey() string {
	var first *unit
	for _, u := range v.units {
		if !u.items.Reads(itemUnsubscribe) {
			continue
		}
		if key := v.items[u.id][itemUnsubscribe]; key != "" {
			return key
		}
		if first == nil && u.chosen {
			first = u
		}
	}
	key := crypto.Text()
	v.items[first.id][itemUnsubscribe] = key
	return key
}

// lacks says what would make an item that there is not.
func (v *vault) lacks(u *unit, name string) MissingItem {
	m := MissingItem{Job: u.id, Item: name, Hint: fmt.Sprintf("give it with --item %s=… or in a file with --items, or put it into the Nomad variable %s", name, jobs.VariablePath(u.id))}
	for _, own := range []struct{ part, item, user string }{
		{partEvents, itemBus, u.id}, {partEvents, itemBusPassword, u.id}, {partObjects, itemSecretKey, keyOf(u.id)},
	} {
		part := v.part(own.part)
		if own.item != name || part == nil {
			continue
		}
		if _, known := v.items[part.id][own.user]; !known {
			m.Hint = fmt.Sprintf("job %s does not know it: none of its templates reads %s", part.id, own.user)
			return m
		}
		m.Hint = addressHint(own.part)
	}
	if where, ok := addressed[name]; ok {
		m.Hint = addressHint(where.part)
	}
	return m
}

func addressHint(part string) string {
	return fmt.Sprintf("say where jobs reach the part %s with --address %s=host:port", part, part)
}
