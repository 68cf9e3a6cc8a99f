namespace Ferry.Kv.Records;

/// <summary>One field of the record header.</summary>
/// <param name="Name">As docs/wire/record.md calls it.</param>
internal sealed record KvRecordField(string Name, int Offset, int Bytes)
{
    public Span<byte> In(Span<byte> header) => header.Slice(Offset, Bytes);

    public ReadOnlySpan<byte> In(ReadOnlySpan<byte> header) => header.Slice(Offset, Bytes);
}
