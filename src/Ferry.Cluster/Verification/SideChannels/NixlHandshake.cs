using System.Buffers;
using MessagePack;
using NetMQ;
using NetMQ.Sockets;

namespace Ferry.Cluster.Verification.SideChannels;

/// <summary>vLLM's NIXL side channel, asked as a decode node would: ZMQ REQ, MessagePack.</summary>
/// <remarks>
/// Only ranks 0 are ever asked: an unknown rank, or a question in another version's form, ends vLLM's listener thread for good.
/// Hence the caller must know the form from the engine's version.
/// </remarks>
internal static class NixlHandshake
{
    private const int ReplyBytesMax = 64 << 20;   // One 64-bit address a region: some MiB at most.
    private const int HashChars = 12;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    /// <summary>Versions below have no pipeline rank in the question.</summary>
    private static readonly Version FirstWithPipelineRank = new(0, 25);

    /// <summary>The question that a version understands; null: the version does not say, so nothing is asked.</summary>
    public static byte[]? QuestionFor(string vllmVersion)
    {
        var release = vllmVersion.TrimStart('v').Split('+')[0];
        // 0.1.devNNN is a build from anywhere in the history.
        if (release.Contains("dev", StringComparison.Ordinal) || !Version.TryParse(string.Join('.', release.Split('.').Take(2)), out var version))
        {
            return null;
        }
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        var hasPipelineRank = version >= FirstWithPipelineRank;
        writer.WriteArrayHeader(hasPipelineRank ? 3 : 2);
        writer.Write("get_meta_msg"u8);
        if (hasPipelineRank)
        {
            writer.Write(0);
        }
        writer.Write(0);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Asks; the socket's calls block, so it works on a thread of its own, in short steps.</summary>
    /// <exception cref="OperationCanceledException">No answer until then.</exception>
    public static Task<NixlReply> AskAsync(string host, int port, byte[] question, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(() => Ask(host, port, question, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static NixlReply Ask(string host, int port, byte[] question, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = new RequestSocket();
            socket.Options.Linger = TimeSpan.Zero;
            socket.Options.MaxMsgSize = ReplyBytesMax;
            socket.Connect($"tcp://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}");
            socket.SendFrame(question);
            var reply = new NetMQMessage();
            while (!socket.TryReceiveMultipartMessage(Step, ref reply))
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
            return Read(reply[0].Buffer.AsMemory(0, reply[0].MessageSize));
        }
        catch (NetMQException exception)
        {
            return NixlReply.Failed(exception.Message);
        }
    }

    /// <summary>Reads a payload: the hash with the metadata in it, or (before 0.13) the metadata itself.</summary>
    internal static NixlReply Read(ReadOnlyMemory<byte> payload)
    {
        try
        {
            var outer = ReadMap(payload);
            if (outer.GetValueOrDefault("agent_metadata_bytes") is not byte[] inner)
            {
                return outer.ContainsKey("engine_id") ? Metadata(outer, "") : NixlReply.Failed("a reply without metadata");
            }
            return Metadata(ReadMap(inner), outer.GetValueOrDefault("compatibility_hash") as string ?? "");
        }
        catch (Exception exception) when (exception is MessagePackSerializationException or EndOfStreamException or InvalidOperationException or ArgumentException or OverflowException)
        {
            return NixlReply.Failed($"a reply that is no handshake: {exception.Message}");
        }
    }

    private static NixlReply Metadata(Dictionary<string, object?> map, string hash) => new(
        "", hash, map.GetValueOrDefault("engine_id") as string ?? "", map.GetValueOrDefault("kv_cache_layout") as string ?? "", map.GetValueOrDefault("attn_backend_name") as string ?? "",
        map.GetValueOrDefault("block_size") as long? ?? 0, map.GetValueOrDefault("num_blocks") as long? ?? 0, (map.GetValueOrDefault("block_lens") as long[])?.Length ?? 0);

    /// <summary>Texts, numbers, byte strings and arrays of numbers; everything else is passed over.</summary>
    private static Dictionary<string, object?> ReadMap(ReadOnlyMemory<byte> bytes)
    {
        var reader = new MessagePackReader(bytes);
        var members = reader.ReadMapHeader();
        var map = new Dictionary<string, object?>(StringComparer.Ordinal);
        for (var member = 0; member < members; member++)
        {
            var name = reader.ReadString() ?? "";
            map[name] = reader.NextMessagePackType switch
            {
                MessagePackType.String => reader.ReadString(),
                MessagePackType.Binary => reader.ReadBytes()?.ToArray(),
                MessagePackType.Integer => (long)Math.Min(reader.ReadUInt64(), long.MaxValue),
                MessagePackType.Array => ReadNumbers(ref reader),
                _ => Skip(ref reader),
            };
        }
        return map;
    }

    private static long[]? ReadNumbers(ref MessagePackReader reader)
    {
        var count = reader.ReadArrayHeader();   // Checked against what is left of the message.
        var numbers = new List<long>();
        for (var at = 0; at < count; at++)
        {
            if (reader.NextMessagePackType == MessagePackType.Integer)
            {
                numbers.Add((long)Math.Min(reader.ReadUInt64(), long.MaxValue));
            }
            else
            {
                reader.Skip();
            }
        }
        return [.. numbers];
    }

    private static object? Skip(ref MessagePackReader reader)
    {
        reader.Skip();
        return null;
    }

    internal static string ShortHash(string hash) => hash.Length > HashChars ? hash[..HashChars] : hash;
}
