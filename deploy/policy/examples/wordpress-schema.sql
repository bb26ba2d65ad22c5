-- WordPress's tables as its public handbook describes them (Database Description), without the
-- columns that matter to nobody's privacy, and the log of a mail plugin, which knows addresses only.
CREATE TABLE wp_users (
    ID bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_login varchar(60) NOT NULL DEFAULT '',
    user_pass varchar(255) NOT NULL DEFAULT '',
    user_nicename varchar(50) NOT NULL DEFAULT '',
    user_email varchar(100) NOT NULL DEFAULT '',
    user_url varchar(100) NOT NULL DEFAULT '',
    user_registered datetime NOT NULL,
    user_activation_key varchar(255) NOT NULL DEFAULT '',
    user_status int NOT NULL DEFAULT 0,
    display_name varchar(250) NOT NULL DEFAULT '',
    KEY user_login_key (user_login),
    KEY user_email (user_email)
);
CREATE TABLE wp_usermeta (
    umeta_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id bigint unsigned NOT NULL DEFAULT 0,
    meta_key varchar(255) DEFAULT NULL,
    meta_value longtext,
    KEY user_id (user_id)
);
CREATE TABLE wp_posts (
    ID bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    post_author bigint unsigned NOT NULL DEFAULT 0,
    post_title text NOT NULL,
    post_content longtext NOT NULL
);
CREATE TABLE wp_comments (
    comment_ID bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    comment_post_ID bigint unsigned NOT NULL DEFAULT 0,
    comment_author tinytext NOT NULL,
    comment_author_email varchar(100) NOT NULL DEFAULT '',
    comment_author_url varchar(200) NOT NULL DEFAULT '',
    comment_author_IP varchar(100) NOT NULL DEFAULT '',
    comment_date datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
    comment_agent varchar(255) NOT NULL DEFAULT '',
    comment_content text NOT NULL,
    comment_parent bigint unsigned NOT NULL DEFAULT 0,
    user_id bigint unsigned NOT NULL DEFAULT 0,
    KEY user_id (user_id)
);
CREATE TABLE wp_mail_log (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    mail_to varchar(100) NOT NULL,
    subject varchar(200) NOT NULL,
    attachments json,
    KEY mail_to (mail_to)
);
