using Ferry.Cache.Tiers.Disk.Files;
using Ferry.Cache.Tiers.Disk.Segments;

namespace Ferry.Cache.Tiers.Disk.Format;

/// <summary>Decides whose directory it is before anything in it is touched.</summary>
internal static class DirectoryFormat
{
    public const string FileName = "ferry-disk.format";
    private const string Prefix = "ferry disk tier, format ";
    private const string NewFileName = FileName + SegmentStore.NewExtension;
    private const string MountRemains = "lost+found"; // In the root of every ext4.
    private const int FileBytesMax = 64;

    public static ReadOnlySpan<byte> Content => "ferry disk tier, format 1\n"u8;

    /// <exception cref="DiskTierException">The directory is somebody else's, or of another format; nothing was changed.</exception>
    public static void ClaimOrCheck(IDiskFiles files)
    {
        var names = files.List();
        if (names.Contains(FileName))
        {
            Check(files);
            return;
        }
        if (names.FirstOrDefault(name => name is not (NewFileName or MountRemains)) is { } stranger)
        {
            throw new DiskTierException(
                $"The disk tier's directory {files.Path} holds \"{stranger}\" and no {FileName}: it is not a disk tier's, and nothing in it was touched. Give cache.disk.path an empty directory.");
        }
        if (names.Contains(NewFileName))
        {
            files.Delete(NewFileName); // Left by a process that died between the two steps below.
        }
        using (var file = files.Create(NewFileName))
        {
            file.WriteSmall(0, Content);
            file.Sync();
        }
        files.Rename(NewFileName, FileName);
        files.SyncDirectory();
    }

    private static void Check(IDiskFiles files)
    {
        var content = files.ReadAll(FileName, FileBytesMax);
        if (content.AsSpan().SequenceEqual(Content))
        {
            return;
        }
        var text = System.Text.Encoding.ASCII.GetString(content).TrimEnd('\n');
        throw new DiskTierException(text.StartsWith(Prefix, StringComparison.Ordinal)
            ? $"The disk tier's directory {files.Path} has format {text[Prefix.Length..]}; this version of Ferry reads format 1. Nothing in it was touched. Use the version that wrote it, or give cache.disk.path another directory."
            : $"{FileName} in the disk tier's directory {files.Path} does not say a format: it is damaged or somebody else's. Nothing was touched. Give cache.disk.path another directory, or delete this one if it was a disk tier's.");
    }
}
