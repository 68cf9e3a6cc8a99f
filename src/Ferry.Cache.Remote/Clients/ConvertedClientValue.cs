namespace Ferry.Cache.Remote.Clients;

/// <summary>A value that was made of other shards.</summary>
/// <param name="held">What keeps the bytes: room of the arena for this client alone, or a lease of the record that was made of it.</param>
internal sealed class ConvertedClientValue(IDisposable held, ReadOnlyMemory<byte> bytes, ReadOnlyMemory<byte> note) : ClientValue
{
    public override ReadOnlyMemory<byte> Bytes => bytes;

    public override ReadOnlyMemory<byte> Note => note;

    public override void Dispose() => held.Dispose();
}
