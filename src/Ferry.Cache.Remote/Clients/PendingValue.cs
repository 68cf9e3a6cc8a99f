using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Remote.Clients;

/// <summary>A value in its place, with the record that it will be if its metadata agrees.</summary>
/// <param name="Room">Owned.</param>
internal sealed record PendingValue(RecordReservation Room, KvKey Key, KvLayout Layout, PutMode Mode, int ValueBytes);
