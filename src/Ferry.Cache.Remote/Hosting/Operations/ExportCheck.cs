using System.IO.Hashing;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Hosting.Operations;

/// <summary>Copies an export and proves on the way that it is whole: every record's checksums, and the tail.</summary>
public sealed class ExportCheck
{
    private const int RecordBytesMax = 1 << 30;

    private readonly XxHash128 _chain = new();
    private byte[] _buffer = new byte[1 << 20];

    public long Records { get; private set; }

    public long Bytes { get; private set; }

    /// <param name="target">Null: only checked.</param>
    /// <param name="told">Called after each record.</param>
    /// <returns>What is wrong, or null.</returns>
    public async Task<string?> CopyAsync(Stream source, Stream? target, Action told, CancellationToken cancellationToken)
    {
        if (!await TakeAsync(source, target, ExportFormat.HeadBytes, cancellationToken) || ExportFormat.FindHeadError(_buffer) is not null)
        {
            return "it is no export, or broke off at once.";
        }
        while (await TakeAsync(source, target, ExportFormat.FrameBytes, cancellationToken))
        {
            var frame = ExportFormat.ReadFrame(_buffer);
            if (frame == -1)
            {
                var tail = new byte[ExportFormat.TailBytes];
                _buffer.AsSpan(0, ExportFormat.FrameBytes).CopyTo(tail);
                if (!await TakeAsync(source, target, ExportFormat.TailBytes - ExportFormat.FrameBytes, cancellationToken))
                {
                    break;
                }
                _buffer.AsSpan(0, ExportFormat.TailBytes - ExportFormat.FrameBytes).CopyTo(tail.AsSpan(ExportFormat.FrameBytes));
                return ExportFormat.FindTailError(tail, Records, _chain.GetCurrentHashAsUInt128());
            }
            if (frame is not { } recordBytes || recordBytes > RecordBytesMax)
            {
                return $"it is damaged behind record {Records}.";
            }
            if (!await TakeAsync(source, target, (int)recordBytes, cancellationToken))
            {
                break;
            }
            if (!KvRecord.TryRead(_buffer.AsSpan(0, (int)recordBytes), out _, out var error))
            {
                return $"record {Records + 1} is damaged ({error}).";
            }
            _chain.Append(_buffer.AsSpan(0, KvRecord.HeaderBytes));
            Records++;
            Bytes += recordBytes;
            told();
        }
        return $"it broke off behind record {Records}.";
    }

    private async Task<bool> TakeAsync(Stream source, Stream? target, int byteCount, CancellationToken cancellationToken)
    {
        if (_buffer.Length < byteCount)
        {
            _buffer = new byte[byteCount];
        }
        var bytes = _buffer.AsMemory(0, byteCount);
        if (await source.ReadAtLeastAsync(bytes, byteCount, throwOnEndOfStream: false, cancellationToken) < byteCount)
        {
            return false;
        }
        if (target is not null)
        {
            await target.WriteAsync(bytes, cancellationToken);
        }
        return true;
    }
}
