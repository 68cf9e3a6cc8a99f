namespace Ferry.Cache.Remote.Clients;

/// <summary>A value of a pair without its metadata, or metadata without its value.</summary>
/// <param name="Value">Null for metadata.</param>
/// <param name="Note">Null for a value.</param>
/// <param name="Since">Timestamp of its arrival.</param>
internal sealed record PendingHalf(PendingValue? Value, byte[]? Note, long Since)
{
    public long Bytes => Value?.ValueBytes ?? 0;

    public void GiveUp() => Value?.Room.Dispose();
}
