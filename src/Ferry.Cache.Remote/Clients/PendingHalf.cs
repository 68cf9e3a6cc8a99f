using Ferry.Cache.Records;

namespace Ferry.Cache.Remote.Clients;

/// <summary>A value of a pair without its metadata, or metadata without its value.</summary>
/// <param name="Value">Owned; null for metadata.</param>
/// <param name="ValueBytes">Length of the value.</param>
/// <param name="Note">The metadata; null for a value.</param>
/// <param name="Since">Timestamp of its arrival.</param>
internal sealed record PendingHalf(RecordReservation? Value, int ValueBytes, byte[]? Note, long Since);
