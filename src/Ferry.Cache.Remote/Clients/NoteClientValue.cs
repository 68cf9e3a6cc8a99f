namespace Ferry.Cache.Remote.Clients;

/// <summary>The note of a record, asked for as a value of its own.</summary>
internal sealed class NoteClientValue(ReadOnlyMemory<byte> note) : ClientValue
{
    public override ReadOnlyMemory<byte> Bytes => note;

    public override ReadOnlyMemory<byte> Note => default;

    public override void Dispose()
    {
    }
}
