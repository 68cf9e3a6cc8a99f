using System.Buffers.Binary;
using System.IO.Hashing;
using Ferry.Cache.Tiers.Disk.Files;
using Ferry.Kv.Records;

namespace Ferry.Cache.Tiers.Disk.Segments;

/// <summary>Reads a record piece by piece and proves it, whatever its length, in the memory of one piece. One thread at a time.</summary>
internal sealed class RecordProbe
{
    private const int ChecksumOffset = KvRecord.HeaderBytes - 16;

    private readonly XxHash128 _hash = new();

    /// <summary>Null when the record is whole and has the header that the index names; else the first check that failed.</summary>
    /// <param name="headerChecksum">Null to take any valid header.</param>
    /// <param name="copy">Receives every piece, whole pages, and its distance from the record's start; null for nobody.</param>
    public string? FindDamage(
        IDiskFile file, long position, int recordBytes, UInt128? headerChecksum, Action<long, ReadOnlyMemory<byte>>? copy, out KvRecordHeader? header)
    {
        var buffer = AlignedBuffers.Rent();
        try
        {
            return FindDamage(file, position, recordBytes, headerChecksum, copy, buffer, out header);
        }
        finally
        {
            AlignedBuffers.Return(buffer);
        }
    }

    public static UInt128 HeaderChecksumOf(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadUInt128LittleEndian(record[ChecksumOffset..]);

    private string? FindDamage(
        IDiskFile file, long position, int recordBytes, UInt128? headerChecksum, Action<long, ReadOnlyMemory<byte>>? copy, Memory<byte> buffer, out KvRecordHeader? header)
    {
        header = null;
        _hash.Reset();
        for (var done = 0; done < recordBytes;)
        {
            var piece = buffer[..Math.Min(buffer.Length, recordBytes - done)];
            file.Read(position + done, piece);
            if (done == 0)
            {
                if (!KvRecord.TryReadHeader(piece.Span, out header, out var error))
                {
                    return error.ToString();
                }
                if (header.RecordBytes != recordBytes || (headerChecksum is { } wanted && HeaderChecksumOf(piece.Span) != wanted))
                {
                    return "another record than the index names";
                }
                _hash.Append(piece.Span[KvRecord.HeaderBytes..]);
            }
            else
            {
                _hash.Append(piece.Span);
            }
            copy?.Invoke(done, piece);
            done += piece.Length;
        }
        return header is not null && _hash.GetCurrentHashAsUInt128() == header.PayloadChecksum ? null : nameof(KvRecordError.PayloadChecksum);
    }
}
