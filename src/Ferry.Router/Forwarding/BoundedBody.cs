using System.IO.Pipelines;

namespace Ferry.Router.Forwarding;

/// <summary>Reads a whole body that may not be longer than a limit, into one rented array.</summary>
internal static class BoundedBody
{
    private const int FirstBytes = 4096;

    /// <summary>What a client announces is not believed beyond this: room grows with what has come.</summary>
    private const int TrustedBytes = 1 << 20;

    /// <summary>Null: longer than <paramref name="maxBytes"/>.</summary>
    public static async ValueTask<PooledBytes?> TryReadAsync(PipeReader reader, long? announcedBytes, long maxBytes, CancellationToken cancellationToken)
    {
        if (announcedBytes > maxBytes)
        {
            return null;
        }
        var body = new PooledBytes((int)Math.Clamp(announcedBytes ?? FirstBytes, 1, TrustedBytes));
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(cancellationToken);
                if (body.ByteCount + result.Buffer.Length > maxBytes)
                {
                    reader.AdvanceTo(result.Buffer.End);
                    body.Dispose();
                    return null;
                }
                foreach (var segment in result.Buffer)
                {
                    body.Append(segment.Span);
                }
                reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    return body;
                }
            }
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Reads until the end or until more than <paramref name="maxBytes"/> are there.</summary>
    /// <returns>Whether the end was reached.</returns>
    public static async ValueTask<bool> ReadAsync(Stream stream, PooledBytes body, long maxBytes, IdleTimer idle)
    {
        while (true)
        {
            if (body.Free.IsEmpty)
            {
                body.Grow(body.ByteCount + 1);
            }
            var read = await stream.ReadAsync(body.Free, idle.Token);
            if (read == 0)
            {
                return true;
            }
            idle.Reset();
            body.Advance(read);
            if (body.ByteCount > maxBytes)
            {
                return false;
            }
        }
    }
}
