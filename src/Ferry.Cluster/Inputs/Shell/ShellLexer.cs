using Ferry.Cluster.Lint.Rules.Shell;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>Cuts a script into simple commands: words, redirections, heredocs.</summary>
/// <remarks>
/// Where bash would end a command against the writer's evident will (a comment, an empty line or a missing backslash before a line that
/// begins with an option), this reader notes the defect and goes on reading the command as it was meant, so that everything behind the
/// mistake is checked too. Total: any text gives commands, in time that grows with its length.
/// </remarks>
internal sealed class ShellLexer
{
    private readonly ShellCursor _cursor;
    private readonly ShellWordReader _words;
    private readonly List<ShellStatement> _statements = [];
    private readonly List<ShellWord> _current = [];
    private readonly List<ShellRedirect> _redirects = [];
    private readonly List<(int Index, string Delimiter, bool StripTabs)> _pendingHeredocs = [];
    private int _start;
    private bool _isContinued;
    private int _defectsBefore;

    private ShellLexer(SourcedText text, List<SourceDefect> defects)
    {
        _cursor = new ShellCursor(text, defects);
        _words = new ShellWordReader(_cursor);
        _defectsBefore = defects.Count;
    }

    /// <summary>The commands of a script in order.</summary>
    /// <param name="defects">Takes what bash would do otherwise than the writer meant.</param>
    public static IReadOnlyList<ShellStatement> Read(SourcedText text, List<SourceDefect> defects)
    {
        var lexer = new ShellLexer(text, defects);
        lexer.ReadAll();
        return lexer._statements;
    }

    private void ReadAll()
    {
        while (!_cursor.IsAtEnd)
        {
            var before = _cursor.At;
            Step();
            if (_cursor.At == before) { _cursor.At++; }   // never stands still
        }
        EndStatement();
    }

    private void Step()
    {
        var c = _cursor.Peek();
        if (c is ' ' or '\t' or '\r' && !(c == '\r' && _cursor.Peek(1) == '\n'))
        {
            _cursor.At++;
        }
        else if (_cursor.JoinLength(_cursor.At) is var join and > 0)
        {
            Join(join);
        }
        else if (c == '\\' && IsBlankToLineEnd(_cursor.At + 1))
        {
            JoinOverBlanks();
        }
        else if (c is '\n' or '\r')
        {
            EndLine();
        }
        else if (c == '$' && _current.Count == 0 && _cursor.Peek(1) == ' ')
        {
            _cursor.At += 2;   // the prompt of a console session
        }
        else if (c == '#')
        {
            ReadComment();
        }
        else if (c is ';' or '(' or ')' || (c == '|') || (c == '&' && _cursor.Peek(1) != '>'))
        {
            _cursor.At++;
            EndStatement();
        }
        else if (ShellRedirectReader.TryRead(_cursor, _words, _pendingHeredocs, _redirects))
        {
            Begin(_cursor.At);
        }
        else
        {
            var at = _cursor.At;
            if (_current.Count == 0) { _start = at; }
            if (_isContinued && IsNewCommand(at)) { ReportJoinedCommand(at); }
            _isContinued = false;
            _current.Add(_words.Read());
        }
    }

    private void Begin(int at)
    {
        if (_current.Count == 0) { _start = Math.Min(_start, at); }
        _isContinued = false;
    }

    private void Join(int length)
    {
        if (length == 3)
        {
            _cursor.Defects.Add(new SourceDefect(WindowsLineEnds.Id, _cursor.Span(_cursor.At, _cursor.At + 1),
                "Save the file with Unix line ends (`sed -i 's/\\r$//' FILE`)."));
        }
        _cursor.At += length;
        _isContinued = true;
    }

    private void JoinOverBlanks()
    {
        var end = _cursor.LineEnd(_cursor.At);
        var next = _cursor.NextSubstance(Math.Min(end + 1, _cursor.Value.Length));
        var blanks = _cursor.Span(_cursor.At + 1, end);
        if (_current.Count > 0 && (_cursor.IsOption(next) || LacksImage()))
        {
            _cursor.Defects.Add(new SourceDefect(BlankBehindBackslash.Id, _cursor.Span(_cursor.At, end), "", new TextEdit(blanks, "")));
            _isContinued = true;
            _cursor.At = Math.Min(end + 1, _cursor.Value.Length);
            return;
        }
        _cursor.At = end;
    }

    /// <summary>A line end: of the command, unless the next line shows that it was meant to go on.</summary>
    private void EndLine()
    {
        var lineEnd = _cursor.At + (_cursor.Peek() == '\r' ? 1 : 0);
        var nextLine = Math.Min(lineEnd + 1, _cursor.Value.Length);
        if (_pendingHeredocs.Count > 0)
        {
            _cursor.At = nextLine;
            ShellRedirectReader.ReadBodies(_cursor, _pendingHeredocs, _redirects);
            EndStatement();
            return;
        }
        var next = _current.Count > 0 ? _cursor.NextSubstance(nextLine) : -1;
        if (_current.Count > 0 && _cursor.IsOption(next) && IsNear(nextLine, next) && !IsCasePattern(next))
        {
            ReportEarlyEnd(nextLine, next);
            _cursor.At = _cursor.LineStart(next);
            _isContinued = true;
            return;
        }
        _cursor.At = nextLine;
        EndStatement();
    }

    /// <summary>Options far below belong to something else (a list in prose, another command's text).</summary>
    private bool IsNear(int from, int to) => _cursor.Value.AsSpan(from, to - from).Count('\n') <= 3;

    /// <summary><c>--name)</c> and <c>-n | --name)</c> of a case command.</summary>
    private bool IsCasePattern(int next)
    {
        if (_current[0].Raw == "case") { return true; }
        var line = _cursor.Value.AsSpan(next, _cursor.LineEnd(next) - next);
        var close = line.IndexOf(')');
        return close > 0 && line[..close].IndexOfAny("('\"$") < 0;
    }

    private void ReportEarlyEnd(int nextLine, int next)
    {
        var nextStart = _cursor.LineStart(next);
        if (_isContinued)
        {
            // The line above ended in a backslash; this one is empty.
            var emptyStart = _cursor.LineStart(_cursor.At);
            _cursor.Defects.Add(new SourceDefect(EmptyLineInContinuation.Id, _cursor.Span(emptyStart, nextLine), "",
                new TextEdit(_cursor.Span(emptyStart, nextStart), "")));
            return;
        }
        var end = _cursor.At;
        var word = _current[^1].Span;
        TextEdit[] edit = nextStart == nextLine ? [new TextEdit(_cursor.Span(end, end), " \\")] : [];
        _cursor.Defects.Add(new SourceDefect(MissingBackslash.Id, word, $"Line {_cursor.Text.Slice(next, 0).Line} begins with an option, which the shell runs as a command.", edit));
    }

    private void ReadComment()
    {
        var start = _cursor.At;
        var end = _cursor.LineEnd(start);
        var nextLine = Math.Min(end + 1, _cursor.Value.Length);
        if (_current.Count == 0 || !_isContinued)
        {
            _cursor.At = end;
            return;
        }
        var next = _cursor.NextSubstance(nextLine);
        if (next < 0 || !(_cursor.IsOption(next) || LacksImage()))
        {
            _cursor.At = end;   // the last line of the command: the comment ends nothing that goes on
            return;
        }
        ReportComment(start, nextLine);
    }

    /// <summary>One finding for a run of comment lines; its fix moves them above the command.</summary>
    private void ReportComment(int start, int nextLine)
    {
        var at = nextLine;
        while (at < _cursor.Value.Length && _cursor.Value.AsSpan(at, _cursor.LineEnd(at) - at).TrimStart() is { Length: > 0 } line && line[0] == '#')
        {
            at = Math.Min(_cursor.LineEnd(at) + 1, _cursor.Value.Length);
        }
        var lineStart = _cursor.LineStart(start);
        _cursor.Defects.Add(new SourceDefect(CommentInContinuation.Id, _cursor.Span(start, _cursor.LineEnd(start)), "", MoveAbove(lineStart, at)));
        _cursor.At = at;
        _isContinued = true;
    }

    /// <summary>Takes the lines out and puts them above the command; nothing where the places are not exact.</summary>
    private TextEdit[] MoveAbove(int from, int to)
    {
        var commandLine = _cursor.LineStart(_start);
        var indent = _cursor.Value[commandLine.._start];
        if (!_cursor.Text.IsExact(commandLine, to - commandLine) || indent.Trim().Length > 0) { return []; }
        var moved = string.Concat(_cursor.Value[from..to].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => $"{indent}{line.Trim()}\n"));
        return [new TextEdit(_cursor.Span(commandLine, commandLine), moved), new TextEdit(_cursor.Span(from, to), "")];
    }

    private bool IsBlankToLineEnd(int at)
    {
        var start = at;
        while (at < _cursor.Value.Length && _cursor.Value[at] is ' ' or '\t') { at++; }
        if (at < _cursor.Value.Length && _cursor.Value[at] == '\r') { at++; }
        return at > start && (at >= _cursor.Value.Length || _cursor.Value[at] == '\n');
    }

    /// <summary>A line of its own that starts a container or an engine, joined to a command that is already complete.</summary>
    private bool IsNewCommand(int at)
    {
        if (_current.Count < 3 || at != _cursor.NextSubstance(_cursor.LineStart(at)) || LacksImage()) { return false; }
        var line = _cursor.Value.AsSpan(at);
        var isEngine = _current[0].Raw == "vllm";
        return line.StartsWith("docker run ") ? isEngine || _current[0].Raw is "docker" or "podman" : isEngine && line.StartsWith("vllm serve ");
    }

    private void ReportJoinedCommand(int at)
    {
        _cursor.Defects.Add(new SourceDefect(BackslashBeforeCommand.Id, _cursor.Span(at, at + 6), ""));
        EndStatement();
        _start = at;
    }

    /// <summary>A <c>docker run</c> so far without an image: whatever the next line is, it belongs to it.</summary>
    private bool LacksImage() => _current.Count is > 1 and < 512 && _current[0].Raw is "docker" or "podman" or "nerdctl" && _current[1].Raw is "run" or "create" &&
        Containers.DockerOptions.FindImage([.. _current.Select(word => word.Raw)], 2) < 0;

    private void EndStatement()
    {
        _isContinued = false;
        if (_current.Count > 0 || _redirects.Count > 0)
        {
            var start = _current.Count > 0 ? _current[0].Span : _redirects[0].Target.Span;
            var end = _current.Count > 0 ? _current[^1].Span : start;
            _statements.Add(new ShellStatement([.. _current], [.. _redirects], start.To(end)));
        }
        // Mistakes in commands that have nothing to do with the cluster are none of this check's business.
        if (!ShellRelevance.IsRelevant(_current)) { _cursor.Defects.RemoveRange(_defectsBefore, _cursor.Defects.Count - _defectsBefore); }
        _defectsBefore = _cursor.Defects.Count;
        _current.Clear();
        _redirects.Clear();
        _start = _cursor.At;
    }
}
