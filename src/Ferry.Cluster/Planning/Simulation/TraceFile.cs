using System.Text;
using System.Text.Json;

namespace Ferry.Cluster.Planning.Simulation;

/// <summary>
/// Reads traces as Mooncake published them: one request a line, <c>{"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [one for each 512 tokens]}</c>.
/// </summary>
public static class TraceFile
{
    /// <summary>Requests of one trace.</summary>
    private const int MaximumRequests = 20_000_000;

    /// <summary>Blocks of one request: a prompt of 16 million tokens.</summary>
    private const int MaximumBlocks = 32_768;

    private const int MaximumTokens = MaximumBlocks * Trace.BlockTokens;

    private const int MaximumLineLength = 1 << 20;

    /// <exception cref="PlanException">A line is no request; the message names file and line.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Trace Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var reader = new StreamReader(path);
        return Read(reader, path);
    }

    public static Trace Read(TextReader reader, string name)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var requests = new List<(double Milliseconds, int Input, int Output, int First, int Count)>();
        var blocks = new List<int>();
        var numbers = new Dictionary<long, int>();
        for (var line = 1; reader.ReadLine() is { } text; line++)
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                continue;
            }
            if (requests.Count == MaximumRequests || text.Length > MaximumLineLength)
            {
                throw new PlanException($"{name}:{line}: a trace has at most {MaximumRequests} requests, of at most {MaximumLineLength} characters each.");
            }
            var first = blocks.Count;
            var (time, input, output) = ReadLine(text, name, line, blocks, numbers);
            requests.Add((time, input, output, first, blocks.Count - first));
        }
        if (requests.Count == 0)
        {
            throw new PlanException($"{name} has no request.");
        }
        return Build(requests, blocks, numbers.Count);
    }

    private static Trace Build(List<(double Milliseconds, int Input, int Output, int First, int Count)> requests, List<int> blocks, int different)
    {
        // Stable: requests of one moment keep their order, which decides who finds what the other left.
        var order = Enumerable.Range(0, requests.Count).OrderBy(request => requests[request].Milliseconds).ToArray();
        var begin = requests[order[0]].Milliseconds;
        var firstBlock = new int[order.Length + 1];
        var ordered = new int[blocks.Count];
        var flat = blocks.ToArray();
        for (var index = 0; index < order.Length; index++)
        {
            var request = requests[order[index]];
            flat.AsSpan(request.First, request.Count).CopyTo(ordered.AsSpan(firstBlock[index]));
            firstBlock[index + 1] = firstBlock[index] + request.Count;
        }
        return new Trace(
            Array.ConvertAll(order, request => (requests[request].Milliseconds - begin) / 1000), Array.ConvertAll(order, request => requests[request].Input),
            Array.ConvertAll(order, request => requests[request].Output), firstBlock, ordered, different);
    }

    private static (double Milliseconds, int Input, int Output) ReadLine(string text, string name, int line, List<int> blocks, Dictionary<long, int> numbers)
    {
        try
        {
            var json = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
            double? time = null;
            int? input = null;
            int? output = null;
            Expect(json.Read() && json.TokenType == JsonTokenType.StartObject, "a JSON object");
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var key = json.GetString();
                json.Read();
                switch (key)
                {
                    case "timestamp":
                        time = json.GetDouble();
                        break;
                    case "input_length":
                        input = json.GetInt32();
                        break;
                    case "output_length":
                        output = json.GetInt32();
                        break;
                    case "hash_ids":
                        ReadBlocks(ref json, blocks, numbers);
                        break;
                    default:
                        json.Skip();
                        break;
                }
            }
            Expect(time is { } at && double.IsFinite(at), "a finite timestamp");
            Expect(input is >= 1 and <= MaximumTokens, $"an input_length of 1..{MaximumTokens}");
            Expect(output is >= 0 and <= MaximumTokens, $"an output_length of 0..{MaximumTokens}");
            return (time!.Value, input!.Value, Math.Max(1, output!.Value));
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
        {
            throw new PlanException($"{name}:{line}: no request: {exception.Message} A line is {{\"timestamp\": ms, \"input_length\": n, \"output_length\": n, \"hash_ids\": [...]}}.");
        }
    }

    private static void ReadBlocks(ref Utf8JsonReader json, List<int> blocks, Dictionary<long, int> numbers)
    {
        Expect(json.TokenType == JsonTokenType.StartArray, "hash_ids as a list");
        var before = blocks.Count;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            Expect(blocks.Count - before < MaximumBlocks, $"at most {MaximumBlocks} hash_ids");
            var id = json.GetInt64();
            if (!numbers.TryGetValue(id, out var number))
            {
                numbers.Add(id, number = numbers.Count);
            }
            blocks.Add(number);
        }
    }

    private static void Expect(bool holds, string what)
    {
        if (!holds)
        {
            throw new FormatException($"it needs {what}.");
        }
    }
}
