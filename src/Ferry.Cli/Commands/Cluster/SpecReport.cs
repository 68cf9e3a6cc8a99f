using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;

namespace Ferry.Cli.Commands.Cluster;

/// <summary>Reads ferry.yaml for a command, or says everything that is wrong with it.</summary>
internal static class SpecReport
{
    /// <summary>The specification; null after its errors were written, one a line.</summary>
    public static ClusterSpec? TryLoad(string path, TextWriter error)
    {
        var reading = ClusterSpecFile.Load(path);
        foreach (var wrong in reading.Errors)
        {
            error.WriteLine(wrong);
        }
        if (reading.Spec is null)
        {
            error.WriteLine($"{path}: {(reading.Errors.Count == 1 ? "1 error" : $"{reading.Errors.Count} errors")}. Every key: ferry schema --reference.");
        }
        return reading.Spec;
    }
}
