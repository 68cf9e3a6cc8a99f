using MessagePack;
using NetMQ;
using NetMQ.Sockets;

namespace Ferry.Router.Health;

/// <summary>The handshake's first question, as a decode node would put it: HTTP 200 does not say that the side channel is there (vLLM 41313).</summary>
/// <remarks>Rank 0 exists at every node. Another rank would end vLLM's listener, so no other is ever asked.</remarks>
internal sealed class ZmqSideChannelProbe : ISideChannelProbe
{
    private const int MaxReplyBytes = 64 << 20;   // one 64-bit address a region: some MiB at most
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    /// <summary><c>["get_meta_msg" as bytes, pipeline rank 0, tensor rank 0]</c> in MessagePack.</summary>
    private static readonly byte[] GetMeta = [0x93, 0xc4, 12, .. "get_meta_msg"u8, 0, 0];

    public Task<string?> ProbeAsync(string endpoint, CancellationToken cancellationToken) =>
        // A socket belongs to one thread and its calls block, so the probe runs on a thread of its own, in short steps.
        Task.Factory.StartNew(() => Probe(endpoint, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static string? Probe(string endpoint, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = new DealerSocket();
            socket.Options.Linger = TimeSpan.Zero;
            socket.Options.MaxMsgSize = MaxReplyBytes;
            socket.Connect(endpoint);
            socket.SendMoreFrameEmpty().SendFrame(GetMeta);
            var reply = new NetMQMessage();
            while (!socket.TryReceiveMultipartMessage(Step, ref reply))
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
            // An empty delimiter, the payload, and since version 5 the server's clock.
            return reply.FrameCount >= 2 ? Judge(reply[1].Buffer.AsMemory(0, reply[1].MessageSize)) : "a reply without payload";
        }
        catch (NetMQException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>A map with <c>agent_metadata_bytes</c>, or (older) the metadata itself, a map with <c>engine_id</c>.</summary>
    internal static string? Judge(ReadOnlyMemory<byte> payload)
    {
        try
        {
            var reader = new MessagePackReader(payload);
            var members = reader.ReadMapHeader();
            for (var member = 0; member < members; member++)
            {
                var name = reader.ReadString();
                if (name is "agent_metadata_bytes" or "engine_id") { return null; }
                reader.Skip();
            }
            return "a reply without metadata";
        }
        catch (Exception exception) when (exception is MessagePackSerializationException or EndOfStreamException or InvalidOperationException or ArgumentException)
        {
            return $"a reply that is no handshake: {exception.Message}";
        }
    }
}
