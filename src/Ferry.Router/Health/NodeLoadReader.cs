using System.Buffers.Text;

namespace Ferry.Router.Health;

/// <summary>Finds a node's load in the text of its /metrics, piece by piece: vLLM's names, summed over their labels.</summary>
internal sealed class NodeLoadReader
{
    private double _requests;

    /// <summary>Running and waiting.</summary>
    public int Requests => (int)Math.Clamp(_requests, 0, int.MaxValue);

    /// <summary>The fullest of its engines, 0..1.</summary>
    public double KvUsage { get; private set; }

    /// <summary>Takes the whole lines of a buffer and moves the rest to its front.</summary>
    /// <returns>Bytes kept. A line that fills the buffer is dropped: none of ours is as long.</returns>
    public int Take(byte[] buffer, int count)
    {
        var start = 0;
        int length;
        while ((length = buffer.AsSpan(start, count - start).IndexOf((byte)'\n')) >= 0)
        {
            TakeLine(buffer.AsSpan(start, length));
            start += length + 1;
        }
        if (start == 0 && count == buffer.Length) { return 0; }
        buffer.AsSpan(start, count - start).CopyTo(buffer);
        return count - start;
    }

    private void TakeLine(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith("vllm:"u8)) { return; }
        var nameEnd = line.IndexOfAny((byte)'{', (byte)' ');
        var value = line.TrimEnd((byte)'\r');
        value = value[(value.LastIndexOf((byte)' ') + 1)..];
        if (nameEnd < 0 || !Utf8Parser.TryParse(value, out double number, out _) || !double.IsFinite(number)) { return; }
        var name = line[5..nameEnd];
        if (name.SequenceEqual("num_requests_running"u8) || name.SequenceEqual("num_requests_waiting"u8)) { _requests += number; }
        // Renamed in vLLM 0.11: gpu_cache_usage_perc before.
        else if (name.SequenceEqual("kv_cache_usage_perc"u8) || name.SequenceEqual("gpu_cache_usage_perc"u8)) { KvUsage = Math.Max(KvUsage, number); }
    }
}
