using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Hosting.Operations;

/// <summary>Writes every record once as a stream. docs/wire/export.md</summary>
internal sealed class RecordExporter(RecordCache cache)
{
    private readonly HashSet<UInt128> _written = [];
    private readonly XxHash128 _chain = new();
    private long _records;

    /// <param name="places">Walked in order; a record that stands in several is written once.</param>
    /// <param name="prefix">Of the clients' keys; empty for all.</param>
    public async Task WriteAsync(Stream target, IEnumerable<string> places, string prefix, CancellationToken cancellationToken)
    {
        var bytes = new byte[ExportFormat.TailBytes];
        ExportFormat.WriteHead(bytes);
        await target.WriteAsync(bytes.AsMemory(0, ExportFormat.HeadBytes), cancellationToken);
        foreach (var place in places)
        {
            await foreach (var record in new RecordWalk(cache).ReadAsync(place, cancellationToken))
            {
                using (record)
                {
                    await WriteAsync(target, record, prefix, bytes, cancellationToken);
                }
            }
        }
        ExportFormat.WriteTail(bytes, _records, _chain.GetCurrentHashAsUInt128());
        await target.WriteAsync(bytes, cancellationToken);
    }

    private async Task WriteAsync(Stream target, WalkedRecord record, string prefix, byte[] frame, CancellationToken cancellationToken)
    {
        var header = record.Header;
        if (!header.ClientKey.ToString().StartsWith(prefix, StringComparison.Ordinal) || !_written.Add(NameOf(header)))
        {
            return;
        }
        // A record of the memory was proved when it came; that it still is what it was is proved before it leaves.
        if (KvRecord.Verify(header, record.Record.Span[KvRecord.HeaderBytes..]) != KvRecordError.None)
        {
            return;
        }
        ExportFormat.WriteFrame(frame, record.Record.Length);
        await target.WriteAsync(frame.AsMemory(0, ExportFormat.FrameBytes), cancellationToken);
        await target.WriteAsync(record.Record, cancellationToken);
        _chain.Append(record.Record.Span[..KvRecord.HeaderBytes]);
        _records++;
    }

    /// <summary>128 bits of what makes a record one: 16 bytes a record are the price of writing each once.</summary>
    private static UInt128 NameOf(KvRecordHeader header)
    {
        Span<byte> model = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(model, header.Model);
        var name = new XxHash128();
        name.Append(model);
        name.Append(Encoding.UTF8.GetBytes($"{header.Hash}\n{header.Salt}\n{header.Layout}"));
        return name.GetCurrentHashAsUInt128();
    }
}
