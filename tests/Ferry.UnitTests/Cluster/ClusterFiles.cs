using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;
using Xunit;

namespace Ferry.UnitTests.Cluster;

/// <summary>Small ferry.yaml files that tests start from.</summary>
internal static class ClusterFiles
{
    /// <summary>The guide's two nodes: 70B on four MI300X and four Gaudi3.</summary>
    public const string Pair = """
        name: llama-70b
        model: {id: meta-llama/Llama-3.1-70B-Instruct, maxLength: 8192}
        pools:
          - name: prefill
            role: prefill
            accelerator: mi300x
            tensorParallel: 4
            memoryUtilization: 0.90
            limits: {sequences: 512}
            nodes: [{name: prefill-0, address: 10.0.0.11}]
            cache: {memory: 20GB, disk: 100GB}
          - name: decode
            role: decode
            accelerator: gaudi3
            tensorParallel: 4
            memoryUtilization: 0.85
            limits: {sequences: 256}
            nodes: [{name: decode-0, address: 10.0.0.21}]
            cache: {memory: 15GB, disk: 50GB}
        """;

    public static ClusterSpec Read(string text)
    {
        var reading = ClusterSpecFile.Read(text, "ferry.yaml");
        Assert.Empty(reading.Errors);
        return reading.Spec!;
    }

    /// <summary>What is wrong with a text, one line each.</summary>
    public static string[] Errors(string text) => [.. ClusterSpecFile.Read(text, "ferry.yaml").Errors.Select(error => error.ToString())];
}
