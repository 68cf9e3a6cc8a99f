using Ferry.Cluster.Inputs;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.UnitTests.Cluster.Inputs;

/// <summary>Reads texts as files of one cluster.</summary>
internal static class Reading
{
    public static ObservedCluster Of(params (string Path, string Text)[] files) =>
        ClusterReader.Read([.. files.Select(file => new SourceFile(file.Path, file.Text))]).Cluster;

    public static ObservedProcess One(string path, string text) => Xunit.Assert.Single(Of((path, text)).Processes);
}
