//! The kubeconfig files of a person: which ones they are, and changing them as kubectl does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::kubeconfig::{Change, Document, Entry, merge};

use super::Environment;
use super::error::CliError;

/// The kubeconfig files of a person, in the order in which they count. There is at least one.
#[derive(Debug, Clone)]
pub struct Kubeconfigs(Vec<PathBuf>);

impl Kubeconfigs {
    /// The files that kubectl would read: those of `KUBECONFIG`, or the one in the home directory.
    ///
    /// # Errors
    /// When there is neither.
    pub fn of(environment: &Environment) -> Result<Self, CliError> {
        let mut paths: Vec<PathBuf> = environment.get("KUBECONFIG").map_or(Vec::new(), |list| {
            std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect()
        });
        if paths.is_empty() {
            let home = environment.get("HOME").ok_or_else(|| CliError::Usage {
                message: "neither KUBECONFIG nor HOME is set".to_owned(),
                hint: "name a file with --output".to_owned(),
            })?;
            paths.push(Path::new(home).join(".kube/config"));
        }
        let mut seen = std::collections::BTreeSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        Ok(Self(paths))
    }

    /// One file.
    pub fn only(path: PathBuf) -> Self {
        Self(vec![path])
    }

    /// Puts an entry into the files where it counts, and makes its context the current one. The files that changed.
    ///
    /// # Errors
    /// When a file cannot be read or written, or is no kubeconfig. Nothing was changed then, or only files before it.
    pub fn add(&self, entry: &Entry) -> Result<Vec<PathBuf>, CliError> {
        self.0.iter().try_for_each(|path| regular(path))?;
        let changing = self.changed(entry)?;
        let _locks = changing.iter().map(|(path, _)| Lock::acquire(path)).collect::<Result<Vec<_>, _>>()?;
        // Somebody may have written before we had the locks.
        let changed = self.changed(entry)?;
        if !changed.iter().all(|(path, _)| changing.iter().any(|(locked, _)| locked == path)) {
            return Err(CliError::refused("another program changes the kubeconfig", "run it again"));
        }
        for (path, text) in &changed {
            replace(path, text).map_err(|source| CliError::Unwritable { path: path.clone(), source })?;
        }
        Ok(changed.into_iter().map(|(path, _)| path).collect())
    }

    /// The files that an entry changes, with their new texts.
    fn changed(&self, entry: &Entry) -> Result<Vec<(PathBuf, String)>, CliError> {
        let mut documents = self.0.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
        let fates = merge(&mut documents, entry);
        let all = self.0.iter().zip(documents.iter().zip(fates));
        all.filter(|(_, (_, fate))| *fate == Change::Changed)
            .map(|(path, (document, _))| Ok((path.clone(), document.text().map_err(told(path))?)))
            .collect()
    }
}

/// Refuses what is no file that can be read to its end and replaced: a device, a pipe, a directory.
fn regular(path: &Path) -> Result<(), CliError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(CliError::Usage {
            message: format!("{} is no regular file, so no kubeconfig can be kept there", path.display()),
            hint: "name a file with --output; `--output -` prints a kubeconfig of this cluster alone".to_owned(),
        }),
        // What is not there is made, and what cannot be looked at is told by who reads it.
        _ => Ok(()),
    }
}

fn told(path: &Path) -> impl Fn(crate::kubeconfig::KubeconfigError) -> CliError {
    move |source| CliError::Kubeconfig { path: path.to_owned(), source }
}

fn read(path: &Path) -> Result<Document, CliError> {
    match fs::read_to_string(path) {
        Ok(text) => Document::parse(&text).map_err(told(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Document::default()),
        Err(source) => Err(CliError::Unreadable { path: path.to_owned(), source }),
    }
}

/// Writes a file anew, for its owner's eyes: who reads it meanwhile sees all of the old one or of the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // What a link leads to is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let draft = beside(&path, &format!(".{}.draft", std::process::id()));
    let written = for_owner(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)
    });
    if written.is_err() {
        // What is left of it is of no use; that it cannot be removed either changes nothing.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// A new file that nobody but its owner can read.
fn for_owner(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// kubectl's lock of a kubeconfig: a file beside it that only one program can make.
#[derive(Debug)]
struct Lock(PathBuf);

impl Lock {
    fn acquire(path: &Path) -> Result<Self, CliError> {
        let lock = beside(path, ".lock");
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let made = directory.map_or(Ok(()), fs::create_dir_all).and_then(|()| for_owner(&lock));
        match made {
            Ok(_) => Ok(Self(lock)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(CliError::refused(
                format!("another program writes {}", path.display()),
                format!("wait for it; if there is none, remove {}", lock.display()),
            )),
            Err(source) => Err(CliError::Unwritable { path: path.to_owned(), source }),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Who finds it later is told what to do.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::kubeconfig::{Plugin, User};

    fn entry() -> Entry {
        let plugin = Plugin { command: "quorate".to_owned(), arguments: Vec::new(), environment: Vec::new() };
        let name = "c.example.com".to_owned();
        let (server, tls_server_name) = ("https://api".to_owned(), "api.internal".to_owned());
        Entry {
            context: name.clone(),
            name,
            server,
            tls_server_name,
            authority: "A".to_owned(),
            user: User::Plugin(plugin),
        }
    }

    fn with(variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Environment { variables, ..Environment::default() }
    }

    #[test]
    fn kubectls_files_are_ours() {
        let of = |variables: &[(&str, &str)]| Kubeconfigs::of(&with(variables)).unwrap().0;
        assert_eq!(of(&[("HOME", "/home/ada")]), [PathBuf::from("/home/ada/.kube/config")]);
        assert_eq!(of(&[("HOME", "/home/ada"), ("KUBECONFIG", ":a:b::a:")]), ["a", "b"].map(PathBuf::from));
        assert!(Kubeconfigs::of(&with(&[])).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_its_owners_alone_and_what_a_link_leads_to_is_changed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("real"), directory.path().join("config"));
        fs::write(&real, "users: []\n").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&real, &link).unwrap();
        let files = Kubeconfigs::only(link.clone());
        assert_eq!(files.add(&entry()).unwrap(), std::slice::from_ref(&link));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(files.add(&entry()).unwrap().is_empty(), "what is there already is not written again");
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "no lock and no draft: {left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_unread() {
        let directory = tempfile::tempdir().unwrap();
        for path in [PathBuf::from("/dev/zero"), directory.path().to_owned()] {
            let refused = Kubeconfigs::only(path).add(&entry()).unwrap_err();
            assert!(refused.to_string().contains("is no regular file"), "{refused}");
        }
    }

    #[test]
    fn a_file_that_another_program_writes_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        fs::write(directory.path().join("config.lock"), "").unwrap();
        let refused = Kubeconfigs::only(path.clone()).add(&entry()).unwrap_err();
        assert!(refused.to_string().starts_with("another program writes"), "{refused}");
        assert!(!path.exists() && directory.path().join("config.lock").exists());
    }

    #[test]
    fn a_file_that_is_no_kubeconfig_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        fs::write(&path, "users: secret\n").unwrap();
        let refused = Kubeconfigs::only(path.clone()).add(&entry()).unwrap_err();
        assert!(refused.to_string().contains("config"), "{refused}");
        assert_eq!(fs::read_to_string(path).unwrap(), "users: secret\n");
    }
}
