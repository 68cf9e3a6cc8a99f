using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Ferry.Engine.Kernels;

namespace Ferry.TestKit.Models;

/// <summary>Writes safetensors files, valid ones and (through <see cref="WriteRaw"/>) any others.</summary>
public static class SafetensorsWriter
{
    public static void Write(string path, IEnumerable<TinyTensor> tensors, WeightFormat format)
    {
        var header = new JsonObject { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        using var data = new MemoryStream();
        foreach (var tensor in tensors)
        {
            long begin = data.Length;
            foreach (float value in tensor.Values)
            {
                WriteNumber(data, value, format);
            }
            header[tensor.Name] = new JsonObject
            {
                ["dtype"] = format switch { WeightFormat.Float32 => "F32", WeightFormat.Float16 => "F16", _ => "BF16" },
                ["shape"] = new JsonArray([.. tensor.Shape.Select(size => (JsonNode)size)]),
                ["data_offsets"] = new JsonArray(begin, data.Length),
            };
        }
        WriteRaw(path, header.ToJsonString(), data.ToArray());
    }

    /// <param name="headerBytes">What the file says its header has; null: the truth.</param>
    public static void WriteRaw(string path, string header, ReadOnlySpan<byte> data, ulong? headerBytes = null)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        using var file = File.Create(path);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, headerBytes ?? (ulong)json.Length);
        file.Write(length);
        file.Write(json);
        file.Write(data);
    }

    /// <summary>The value that a reader of <paramref name="format"/> gets back.</summary>
    public static float Round(float value, WeightFormat format) => format switch
    {
        WeightFormat.Float32 => value,
        WeightFormat.Float16 => (float)(Half)value,
        _ => HalfBits.FromBFloat16(HalfBits.ToBFloat16(value)),
    };

    private static void WriteNumber(MemoryStream data, float value, WeightFormat format)
    {
        Span<byte> bytes = stackalloc byte[format.Bytes()];
        switch (format)
        {
            case WeightFormat.Float32:
                BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
                break;
            case WeightFormat.Float16:
                BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)value);
                break;
            default:
                BinaryPrimitives.WriteUInt16LittleEndian(bytes, HalfBits.ToBFloat16(value));
                break;
        }
        data.Write(bytes);
    }
}
