package state

import (
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/store"
)

// connectIndex leads from a service's name to the instances through which it
// is reached with Connect: its proxies, and itself where it speaks it natively.
type connectIndex struct{}

// ConnectName is the service that the instance makes reachable with Connect; empty when none.
func (s *Service) ConnectName() string {
	switch {
	case s.Kind == api.ServiceKindConnectProxy && s.Proxy != nil:
		return s.Proxy.DestinationServiceName
	case s.Connect != nil && s.Connect.Native:
		return s.Service
	default:
		return ""
	}
}

func (connectIndex) FromObject(row any) (bool, []byte, error) {
	name := row.(*Service).ConnectName()
	return name != "", []byte(strings.ToLower(name) + "\x00"), nil
}

func (connectIndex) FromArgs(args ...any) ([]byte, error) {
	return []byte(strings.ToLower(args[0].(string)) + "\x00"), nil
}

// markServicesGone is marked when the last instance of a service is removed.
const markServicesGone = "services gone"

// serviceMark is the mark of all that is known about a service.
func serviceMark(name string) string { return "service." + strings.ToLower(name) }

// connectMark is the mark of all that is known about how a service is reached with Connect.
func connectMark(name string) string { return "connect." + strings.ToLower(name) }

// ServiceIndex is the index of the last change of what is known about a
// service: its instances, their nodes and their checks. Of a service without
// instances it is that of the last time when any service lost its last one.
//
// A view that has read this index wakes when one of those changes, so that all
// else about the service may be read unwatched.
func (v *View) ServiceIndex(name string) uint64 { return v.indexOr(serviceMark(name)) }

// ConnectIndex is the ServiceIndex of the instances through which a service is
// reached with Connect.
func (v *View) ConnectIndex(name string) uint64 { return v.indexOr(connectMark(name)) }

func (v *View) indexOr(mark string) uint64 {
	if index := v.Index(mark); index > 0 {
		return index
	}
	return v.Index(markServicesGone)
}

// markService marks what is known about an instance's service.
func (tx *Tx) markService(s *Service) {
	tx.Mark(serviceMark(s.Service))
	if name := s.ConnectName(); name != "" {
		tx.Mark(connectMark(name))
	}
}

// leaveService marks what an instance was that is not any more, and forgets
// the marks of services that it was the last instance of.
func (tx *Tx) leaveService(s *Service) {
	tx.markService(s)
	if store.First[Service](tx, TableServices, "service", s.Service) == nil {
		tx.Unmark(serviceMark(s.Service))
		tx.Mark(markServicesGone)
	}
	if name := s.ConnectName(); name != "" && store.First[Service](tx, TableServices, "connect", name) == nil {
		tx.Unmark(connectMark(name))
		tx.Mark(markServicesGone)
	}
}
