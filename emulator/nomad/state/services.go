package state

import (
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableServices has the instances of services with the provider nomad.
const TableServices = "service_registrations"

func serviceTables() store.Schema {
	return store.Schema{TableServices: store.Rows[api.ServiceRegistration](
		store.Unique("id", store.By(func(s *api.ServiceRegistration) []string { return []string{s.ID} })),
		store.Many("name", store.By(func(s *api.ServiceRegistration) []string {
			return []string{s.Namespace, s.ServiceName, s.ID}
		})),
		store.Many("job", store.By(func(s *api.ServiceRegistration) []string { return []string{s.Namespace, s.JobID} })),
		store.Many("allocation", store.By(func(s *api.ServiceRegistration) []string { return []string{s.AllocID} })))}
}

// Service finds an instance by its ID; nil when there is none.
func (v *View) Service(id string) *api.ServiceRegistration {
	return store.First[api.ServiceRegistration](v.View, TableServices, "id", id)
}

// ServicesNamed are the instances of a service, by ID.
func (v *View) ServicesNamed(namespace, name string) iter.Seq[*api.ServiceRegistration] {
	return store.All[api.ServiceRegistration](v.View, TableServices, "name_prefix", namespace, name, "")
}

// ServicesOfNamespace are the instances of all services in a namespace, by
// service and ID.
func (v *View) ServicesOfNamespace(namespace string) iter.Seq[*api.ServiceRegistration] {
	return store.All[api.ServiceRegistration](v.View, TableServices, "name_prefix", namespace, "")
}

// Services are the instances of all services, by namespace, service and ID.
func (v *View) Services() iter.Seq[*api.ServiceRegistration] {
	return store.All[api.ServiceRegistration](v.View, TableServices, "name")
}

// ServicesOfJob are the instances that a job has registered.
func (v *View) ServicesOfJob(namespace, job string) iter.Seq[*api.ServiceRegistration] {
	return store.All[api.ServiceRegistration](v.View, TableServices, "job", namespace, job)
}

// UpsertService writes an instance, which becomes the row.
func (tx *Tx) UpsertService(s *api.ServiceRegistration) {
	s.ModifyIndex = tx.ChangeIndex()
	if old := tx.Service(s.ID); old != nil {
		s.CreateIndex = old.CreateIndex
	} else {
		s.CreateIndex = s.ModifyIndex
	}
	tx.Insert(TableServices, s)
}

// DeleteServices removes the instances with these IDs; those that are gone already are no error.
func (tx *Tx) DeleteServices(ids ...string) {
	for _, id := range ids {
		if s := tx.Service(id); s != nil {
			tx.Delete(TableServices, s)
		}
	}
}

// ServicesOfAllocation are the instances that an allocation has registered.
func (v *View) ServicesOfAllocation(allocation string) iter.Seq[*api.ServiceRegistration] {
	return store.All[api.ServiceRegistration](v.View, TableServices, "allocation", allocation)
}
