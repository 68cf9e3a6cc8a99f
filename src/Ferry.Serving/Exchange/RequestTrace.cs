using System.Globalization;
using Ferry.Kv.Layout;
using Ferry.Serving.Options;

namespace Ferry.Serving.Exchange;

/// <summary>Gathers what the exchange does for one request. Thread-safe: save, load and the API touch it from different threads.</summary>
internal sealed class RequestTrace
{
    private readonly Lock _lock = new();
    private readonly List<string> _sources = [];
    private KvRequestReport _report = new();

    public KvRequestReport ToReport()
    {
        lock (_lock)
        {
            return _report with
            {
                Source = _sources.Count == 0 ? "none" : string.Join('+', _sources),
                Checksum = _report.RecordsDamaged > 0 ? KvChecksumState.Failed : _report.RecordsVerified > 0 ? KvChecksumState.Verified : KvChecksumState.None,
            };
        }
    }

    public void Update(Func<KvRequestReport, KvRequestReport> change)
    {
        lock (_lock)
        {
            _report = change(_report);
        }
    }

    /// <summary>Tokens of the load came from this source.</summary>
    public void AddSource(string source, int tokens, long bytesMoved)
    {
        lock (_lock)
        {
            if (!_sources.Contains(source))
            {
                _sources.Add(source);
            }
            _report = _report with { Tokens = _report.Tokens + tokens, BytesMoved = _report.BytesMoved + bytesMoved };
        }
    }

    /// <summary>A chunk came from the prefill node.</summary>
    /// <param name="mode">How: one that was pushed stands for the whole hand-over.</param>
    public void AddHandover(HandoverMode mode, long bytes) => Update(report => report with
    {
        Mode = mode == HandoverMode.Pull ? report.Mode ?? mode : mode,
        HandoverBytes = report.HandoverBytes + bytes,
    });

    /// <summary>Why less than asked for comes; the first reason counts, those after it follow from it.</summary>
    public void Explain(string reason) => Update(report => report with { Reason = report.Reason ?? reason });

    public void AddVerified(int records, TimeSpan time = default) => Update(report => report with
    {
        RecordsVerified = report.RecordsVerified + records,
        VerifyTime = report.VerifyTime + time,
    });

    public void AddDamaged() => Update(report => report with { RecordsDamaged = report.RecordsDamaged + 1 });

    /// <summary>For people: <c>block 16 hnd interleaved bf16 tp 4 -> block 128 nhd split bf16 tp 2</c>.</summary>
    public void AddConversion(KvLayout source, KvLayout target, long bytes) => Update(report => report with
    {
        BytesConverted = report.BytesConverted + bytes,
        Conversion = report.Conversion.Length > 0 ? report.Conversion : $"{Shape(source)} -> {Shape(target)}",
    });

    private static string Shape(KvLayout layout)
    {
        var block = layout.BlockTokens == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"block {layout.BlockTokens} ");
        var ranks = Math.Max(1, layout.ModelHeads / layout.Heads);
        return string.Create(
            CultureInfo.InvariantCulture, $"{block}{layout.Order.Name()} {layout.Packing.Name()} {layout.DType.Name()} tp {ranks}");
    }
}
