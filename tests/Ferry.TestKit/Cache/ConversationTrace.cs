using System.Text.Json;

namespace Ferry.TestKit.Cache;

/// <summary>The Mooncake conversation trace: requests as chains of block numbers. It is third-party data and lies outside the repository.</summary>
public static class ConversationTrace
{
    /// <summary>The directory that may hold it.</summary>
    public const string Variable = "FERRY_TRACES";

    private const string FileName = "conversation_trace.jsonl";

    /// <summary>Where it lies, or null: neither the directory that <see cref="Variable"/> names nor one beside the repository has it.</summary>
    public static string? TryFind()
    {
        string?[] directories = [Environment.GetEnvironmentVariable(Variable), Path.Combine(RepositoryRoot.Path, "..", "shared", "traces")];
        return directories.OfType<string>().Select(directory => Path.Combine(directory, FileName)).FirstOrDefault(File.Exists);
    }

    /// <summary>The blocks of each request, in order of time.</summary>
    public static IReadOnlyList<int[]> Load(string path)
    {
        var requests = new List<int[]>();
        foreach (var line in File.ReadLines(path))
        {
            using var request = JsonDocument.Parse(line);
            requests.Add([.. request.RootElement.GetProperty("hash_ids").EnumerateArray().Select(id => id.GetInt32())]);
        }
        return requests;
    }
}
