using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using MessagePack;

namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>vLLM's notifications: <c>ID:TP</c>, <c>HB:ID,ID</c>, and <c>PUSH_REG:</c> with a MessagePack map. Decoding is total.</summary>
public static class VllmNotificationCodec
{
    /// <summary>Requests of one heartbeat.</summary>
    public const int RequestCountMax = 65_536;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static ReadOnlySpan<byte> HeartbeatPrefix => "HB:"u8;

    private static ReadOnlySpan<byte> PushPrefix => "PUSH_REG:"u8;

    public static byte[] Encode(VllmNotification notification) => notification switch
    {
        VllmNotification.ReadDone done => Encoding.UTF8.GetBytes($"{done.RequestId}:{done.TensorParallelSize.ToString(CultureInfo.InvariantCulture)}"),
        VllmNotification.Heartbeat beat => Encoding.UTF8.GetBytes($"HB:{string.Join(',', beat.RequestIds)}"),
        VllmNotification.Push push => Encode(push.Registration),
        _ => throw new System.Diagnostics.UnreachableException("Another notification."),
    };

    public static bool TryDecode(ReadOnlyMemory<byte> message, [NotNullWhen(true)] out VllmNotification? notification, [NotNullWhen(false)] out string? error)
    {
        (notification, error) = (null, null);
        if (message.Span.StartsWith(PushPrefix))
        {
            error = DecodePush(message[PushPrefix.Length..], out var registration);
            notification = registration is null ? null : new VllmNotification.Push(registration);
            return notification is not null;
        }
        string text;
        try
        {
            text = StrictUtf8.GetString(message.Span);
        }
        catch (DecoderFallbackException)
        {
            error = "The notification is neither UTF-8 nor a push registration.";
            return false;
        }
        if (message.Span.StartsWith(HeartbeatPrefix))
        {
            var ids = text[3..].Split(',', RequestCountMax + 1);
            error = ids.Length > RequestCountMax ? $"A heartbeat names more than {RequestCountMax} requests." : null;
            notification = error is null ? new VllmNotification.Heartbeat(ids) : null;
            return notification is not null;
        }
        // A request id may have colons of its own: the last one parts.
        var colon = text.LastIndexOf(':');
        if (colon < 1 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var size) || size < 1)
        {
            error = "The notification is not of the form REQUEST:TENSOR_PARALLEL_SIZE.";
            return false;
        }
        notification = new VllmNotification.ReadDone(text[..colon], size);
        return true;
    }

    private static byte[] Encode(PushRegistration push)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        buffer.Write(PushPrefix);
        var writer = new MessagePackWriter(buffer);
        writer.WriteMapHeader(11);
        Text(ref writer, "request_id", push.RequestId);
        Text(ref writer, "decode_engine_id", push.DecodeEngineId);
        Text(ref writer, "decode_host", push.DecodeHost);
        Number(ref writer, "decode_port", push.DecodePort);
        Number(ref writer, "decode_tp_size", push.DecodeTensorParallelSize);
        writer.Write("local_block_ids");
        writer.WriteArrayHeader(push.BlockIds.Count);
        foreach (var block in push.BlockIds) { writer.Write(block); }
        Text(ref writer, "remote_engine_id", push.RemoteEngineId);
        Text(ref writer, "remote_host", push.RemoteHost);
        Number(ref writer, "remote_port", push.RemotePort);
        Number(ref writer, "remote_tp_size", push.RemoteTensorParallelSize);
        Number(ref writer, "remote_pp_size", push.RemotePipelineParallelSize);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();

        static void Text(ref MessagePackWriter writer, string key, string value)
        {
            writer.Write(key);
            writer.Write(value);
        }

        static void Number(ref MessagePackWriter writer, string key, int value)
        {
            writer.Write(key);
            writer.Write(value);
        }
    }

    private static string? DecodePush(ReadOnlyMemory<byte> map, out PushRegistration? registration)
    {
        PushRegistration? found = null;
        var error = HandshakeCodec.Guard(() =>
        {
            var reader = new MessagePackReader(map);
            var texts = new Dictionary<string, string>(StringComparer.Ordinal);
            var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
            List<long>? blocks = null;
            var members = reader.ReadMapHeader();
            for (var member = 0; member < members; member++)
            {
                switch (HandshakeCodec.Text(ref reader))
                {
                    case "local_block_ids": blocks = ReadBlocks(ref reader); break;
                    case ("request_id" or "decode_engine_id" or "decode_host" or "remote_engine_id" or "remote_host") and var name: texts[name] = HandshakeCodec.Text(ref reader); break;
                    case ("decode_port" or "decode_tp_size" or "remote_port" or "remote_tp_size" or "remote_pp_size") and var name: numbers[name] = reader.ReadInt32(); break;
                    default: reader.Skip(); break;
                }
            }
            if (texts.Count < 5 || numbers.Count < 5 || blocks is null) { return "a push registration that lacks a member"; }
            found = new PushRegistration(
                texts["request_id"], texts["decode_engine_id"], texts["decode_host"], numbers["decode_port"], numbers["decode_tp_size"], blocks,
                texts["remote_engine_id"], texts["remote_host"], numbers["remote_port"], numbers["remote_tp_size"], numbers["remote_pp_size"]);
            return reader.End ? null : "more bytes than a push registration has";
        });
        registration = error is null ? found : null;
        return error;
    }

    /// <summary>Block ids, or lists of them (one a cache group, as newer versions send): of several groups the first.</summary>
    private static List<long> ReadBlocks(ref MessagePackReader reader)
    {
        var blocks = new List<long>();
        var count = reader.ReadArrayHeader();
        for (var index = 0; index < count; index++)
        {
            if (reader.NextMessagePackType != MessagePackType.Array)
            {
                blocks.Add(reader.ReadInt64());
                continue;
            }
            if (index > 0)
            {
                reader.Skip();
                continue;
            }
            var ids = reader.ReadArrayHeader();
            for (var id = 0; id < ids; id++) { blocks.Add(reader.ReadInt64()); }
        }
        return blocks;
    }
}
