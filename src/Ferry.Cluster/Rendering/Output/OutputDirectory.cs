using System.Text;

namespace Ferry.Cluster.Rendering.Output;

/// <summary>Puts rendered files into a directory, all of them or none: they are written beside it and take its place by a rename.</summary>
/// <remarks>
/// A file <c>.ferry-render</c> lists what was written, so that the next run knows what is its own. Files of others in the directory stay.
/// </remarks>
public static class OutputDirectory
{
    /// <summary>Name of the list of files.</summary>
    public const string ManifestName = ".ferry-render";

    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Runnable = Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Writes the files below <paramref name="directory"/>.</summary>
    /// <param name="replaces">A directory that is not empty is written all the same; what an earlier run wrote there goes away.</param>
    /// <exception cref="RenderOutputException">It is not empty, is a file, or cannot be written.</exception>
    public static void Write(string directory, IReadOnlyList<RenderedFile> files, bool replaces)
    {
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        if (File.Exists(target))
        {
            throw new RenderOutputException($"{directory} is a file. Name a directory.");
        }
        if (Path.GetDirectoryName(target) is not { } parent)
        {
            throw new RenderOutputException($"{directory} is the root of the file system. Name a directory below it.");
        }
        if (!replaces && Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any())
        {
            throw new RenderOutputException($"{directory} is not empty. Name another directory, or add --force: what an earlier run wrote there is replaced, other files stay.");
        }
        var part = $"{target}.part-{Environment.ProcessId}";
        try
        {
            Directory.CreateDirectory(parent);
            Directory.CreateDirectory(part);
            WriteAll(part, files);
            Swap(target, part);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RenderOutputException($"{directory} was not written: {exception.Message}", exception);
        }
        finally
        {
            if (Directory.Exists(part))
            {
                Directory.Delete(part, recursive: true);
            }
        }
    }

    private static void WriteAll(string root, IReadOnlyList<RenderedFile> files)
    {
        var manifest = new StringBuilder("# Written by ferry render; the next run replaces these files.\n");
        foreach (var file in files.OrderBy(file => file.Path, StringComparer.Ordinal))
        {
            var path = Path.Combine(root, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, file.Content);   // UTF-8 without a mark: a shell would stumble over one
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, file.IsExecutable ? Runnable : Readable);
            }
            manifest.Append(file.Path).Append('\n');
        }
        File.WriteAllText(Path.Combine(root, ManifestName), manifest.ToString());
    }

    /// <summary>The new directory takes the place of the old one; what was not ours moves over.</summary>
    private static void Swap(string target, string part)
    {
        if (!Directory.Exists(target))
        {
            Directory.Move(part, target);
            return;
        }
        var previous = $"{target}.previous-{Environment.ProcessId}";
        Directory.Move(target, previous);
        try
        {
            Directory.Move(part, target);
        }
        catch (IOException)
        {
            Directory.Move(previous, target);
            throw;
        }
        KeepOthers(previous, target, OwnFiles(previous));
        Directory.Delete(previous, recursive: true);
    }

    private static HashSet<string> OwnFiles(string directory)
    {
        var manifest = Path.Combine(directory, ManifestName);
        return File.Exists(manifest)
            ? [.. File.ReadLines(manifest).Where(line => line.Length > 0 && line[0] != '#'), ManifestName]
            : [];
    }

    private static void KeepOthers(string from, string to, HashSet<string> own)
    {
        var others = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false };
        foreach (var path in Directory.EnumerateFiles(from, "*", others).ToList())
        {
            var name = Path.GetRelativePath(from, path).Replace('\\', '/');
            var destination = Path.Combine(to, name);
            if (own.Contains(name) || File.Exists(destination))
            {
                continue;
            }
            Directory.CreateDirectory(Path.GetDirectoryName(destination)!);
            File.Move(path, destination);
        }
    }
}
